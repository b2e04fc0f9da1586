"""The plan of one mini clip: who does what and when. Motion, frames and questions come from it.

Body frame, used by everything in `fmau.demo.mini`: metres, origin at the seat between the hips,
x toward the subject's own left, y up, z forward (toward the camera). "Left", "right", "leftward"
and "rightward" always mean the subject's own, as in MA-Bench.

Array suffixes: T frames, P body parts (order of `BODY_PARTS`), D the axes x, y, z.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from fmau.demo.mini.figure import Subject

FPS = 30

BODY_PARTS = (
    "head",
    "torso",
    "left upper arm",
    "right upper arm",
    "left lower arm",
    "right lower arm",
    "left hand",
    "right hand",
    "left upper leg",
    "right upper leg",
    "left lower leg",
    "right lower leg",
    "left foot",
    "right foot",
)
"""The tracked parts, named as the MA-Bench questions name them."""

Side = Literal["left", "right", "both", "none"]


@dataclass(frozen=True, slots=True)
class Event:
    """One micro-action within a clip.

    Attributes:
        code: taxonomy code, "A1" to "G4".
        onset_s, end_s: when the motion begins and is over, in seconds from the clip's start.
        side: the limb (or, for the head and trunk, the direction) that acts; "none" if symmetric.
        amplitude: 0.7 (slight) to 1.3 (pronounced), relative to the action's usual extent.
        cycles: repetitions of a repetitive action (nods, shakes, pats); 1 otherwise.
    """

    code: str
    onset_s: float
    end_s: float
    side: Side
    amplitude: float
    cycles: float


@dataclass(frozen=True, slots=True)
class ClipPlan:
    """Everything that determines a clip.

    Attributes:
        name: file name without extension; tells nothing about the content.
        subject: the person drawn, with camera and background.
        frame_count: number of frames at `FPS`.
        events: the dominant action first, then accompanying ones.
        seed: seed of the small idle sway of the body.
    """

    name: str
    subject: "Subject"
    frame_count: int
    events: tuple[Event, ...]
    seed: int


@dataclass(frozen=True, slots=True)
class Motion:
    """Trajectories of one clip: the ground truth of its captions and questions.

    Attributes:
        positions_TPD: float32, centre of each body part in the body frame, metres.
        fps: frames per second.
    """

    positions_TPD: NDArray[np.float32]
    fps: float = FPS
