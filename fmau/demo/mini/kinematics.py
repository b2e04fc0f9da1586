"""Turns a plan into trajectories: a rest pose, idle sway, and then the motion of every event.

Array suffixes as in `fmau.demo.mini.pose` and `fmau.demo.mini.plan`.
"""

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator, default_rng
from numpy.typing import NDArray

from fmau.demo.mini.figure import Subject
from fmau.demo.mini.motions import play
from fmau.demo.mini.motions.act import Act
from fmau.demo.mini.plan import FPS, ClipPlan, Event, Motion
from fmau.demo.mini.pose import LEFT, OUT, RIGHT, Pose, Skeleton, skeleton

Floats = NDArray[np.float64]

ONE_WAY = {"A3", "C10", "D2", "D5"}
"""Actions that must not be played backwards: that would be another action, or none."""
HELD = {"C", "E", "F", "G"}
"""Groups whose clips may begin with the hand already in place, and show only its way back."""
NEVER_HELD = {"C3", "C4", "C7", "C9", "C12"}
"""Actions of those groups that consist of the way there; the way back would be the opposite."""
SWINGING = {"A1", "B1", "B2", "D3"}
"""Actions that consist only of movement back and forth."""

SIDES = {"left": LEFT, "right": RIGHT}


@dataclass(frozen=True, slots=True)
class Animation:
    """A clip's figure in every frame.

    Attributes:
        pose: hand and foot shapes are drawn from it.
        skeleton: all joints.
        object_side: side of the hand that holds an object (C8), or None.
    """

    pose: Pose
    skeleton: Skeleton
    object_side: int | None

    @property
    def motion(self) -> Motion:
        """Centres of the 14 body parts."""
        s = self.skeleton
        arms = [
            (s.shoulder_TSD + s.elbow_TSD) / 2,
            (s.elbow_TSD + s.wrist_TSD) / 2,
            s.palm_TSD,
            (s.hip_TSD + s.knee_TSD) / 2,
            (s.knee_TSD + s.ankle_TSD) / 2,
            (s.heel_TSD + s.toe_TSD) / 2,
        ]
        sided = [part_TSD[:, side] for part_TSD in arms for side in (LEFT, RIGHT)]
        return Motion(np.stack([s.head_TD, s.chest_TD, *sided], axis=1).astype(np.float32))


def animate(plan: ClipPlan) -> Animation:
    """Play a plan; equal plans give equal trajectories."""
    rng = default_rng(plan.seed)
    seconds_T = np.arange(plan.frame_count) / FPS
    pose = rest_pose(plan.frame_count, plan.subject, rng)
    _sway(pose, seconds_T, rng)
    # Accompanying movements first: a hand that touches the head must follow where it has gone.
    for place in reversed(range(len(plan.events))):
        _play_event(
            plan.events[place], pose, plan.subject, seconds_T, default_rng([plan.seed, place])
        )
    holds = plan.events[0].code == "C8"
    return Animation(
        pose, skeleton(pose, plan.subject), SIDES[plan.events[0].side] if holds else None
    )


def rest_pose(frames: int, subject: Subject, rng: Generator) -> Pose:
    """A person who sits and does nothing, in one of several ways."""

    def still(*shape: int) -> Floats:
        return np.zeros((frames, *shape))

    wrists, ankles, elbows, knees = still(2, 3), still(2, 3), still(2, 3), still(2, 3)
    legs_apart = rng.uniform(0.0, 0.06)
    feet_forward = rng.uniform(-0.05, 0.06)
    hands = rng.choice(["thighs", "lap", "knees", "mixed"])
    for side in (LEFT, RIGHT):
        kind = rng.choice(["thighs", "lap", "knees", "belly"]) if hands == "mixed" else hands
        x, y, z = {
            "thighs": (0.15, 0.12, 0.26),
            "lap": (0.07, 0.12, 0.20),
            "knees": (0.15, 0.13, 0.36),
            "belly": (0.08, 0.20, 0.22),
        }[str(kind)]
        jitter = rng.uniform(-0.02, 0.02, 3) * (1, 0.5, 1)
        wrists[:, side] = np.array([x * OUT[side], y, z]) + jitter
        ankles[:, side] = (
            OUT[side] * (subject.hip + 0.02 + legs_apart),
            -subject.lower_leg + 0.02,
            subject.upper_leg * 0.98 + feet_forward,
        )
        elbows[:, side] = (0.6 * OUT[side], -0.5, -0.6)
        knees[:, side] = (OUT[side] * (0.05 + legs_apart), 0.8, 0.6)
    fingers = still(2, 3)
    fingers[:] = (0.0, -0.25, 1.0)
    return Pose(
        root_TD=still(3),
        lean_TD=still(3) + np.array([rng.uniform(0.0, 0.07), rng.uniform(-0.03, 0.03), 0.0]),
        shrug_TS=still(2),
        head_TD=still(3) + rng.uniform(-0.05, 0.05, 3),
        wrist_TSD=wrists,
        ankle_TSD=ankles,
        elbow_TSD=elbows,
        knee_TSD=knees,
        fingers_TSD=fingers,
        curl_TSF=still(2, 5) + rng.uniform(0.15, 0.35),
        spread_TS=still(2) + 0.15,
        palm_up_TS=still(2),
        heel_TS=still(2),
        toe_out_TS=still(2) + rng.uniform(0.05, 0.25),
    )


def _sway(pose: Pose, seconds_T: Floats, rng: Generator) -> None:
    """Add small movements of breathing and balance, of a few millimetres."""
    for values_TX, size in ((pose.lean_TD, 0.004), (pose.head_TD, 0.010)):
        for axis in range(3):
            rate, phase = rng.uniform(0.2, 0.6), rng.uniform(0, 2 * np.pi)
            values_TX[:, axis] += size * np.sin(2 * np.pi * rate * seconds_T + phase)


def _play_event(
    event: Event, pose: Pose, subject: Subject, seconds_T: Floats, rng: Generator
) -> None:
    level_T = _level(event, seconds_T, rng)
    length = event.end_s - event.onset_s
    since_T, left_T = (seconds_T - event.onset_s) / length, (event.end_s - seconds_T) / length
    window_T = ramp(since_T / 0.12) * ramp(left_T / 0.12)
    beat_T = np.zeros_like(seconds_T)
    if event.cycles > 1:
        sense = rng.choice([-1, 1])
        beat_T = sense * np.sin(2 * np.pi * event.cycles * np.clip(since_T, 0, 1)) * window_T
    if event.code in SWINGING:
        level_T = window_T
    elif event.code[0] in HELD:
        # A hand rubs, pats or waves only once it is in place.
        beat_T *= np.clip(4 * level_T - 3, 0, 1)
    side = SIDES.get(event.side, int(rng.integers(2)))
    play(event.code, Act(pose, subject, seconds_T, level_T, beat_T, side, event.amplitude, rng))


def ramp(share_T: Floats) -> Floats:
    """Minimum-jerk step from 0 to 1 while the share goes from 0 to 1 (Flash and Hogan, 1985)."""
    x_T = np.clip(share_T, 0, 1)
    return np.asarray(x_T**3 * (10 - 15 * x_T + 6 * x_T**2))


def _level(event: Event, seconds_T: Floats, rng: Generator) -> Floats:
    """The progress of the action in each frame, 0 to 1: there, held, and in some clips back."""
    length = event.end_s - event.onset_s
    course = _course(event.code, rng)
    if event.code == "C10":
        return 1 - ramp((seconds_T - event.onset_s) / (0.8 * length))
    share = rng.uniform(0.28, 0.42)
    come_T = ramp((seconds_T - event.onset_s) / (share * length))
    go_T = ramp((event.end_s - seconds_T) / (share * length))
    if course == "come":
        return come_T
    return go_T if course == "go" else np.minimum(come_T, go_T)


def _course(code: str, rng: Generator) -> str:
    """The course of an event: there ("come"), there and back, or only back ("go")."""
    course = str(rng.choice(["come", "come and go", "go"], p=[0.4, 0.35, 0.25]))
    if code in ONE_WAY:
        return "come"
    if code.startswith("drift"):
        return str(rng.choice(["come", "come and go"]))
    held = code[0] in HELD and code not in NEVER_HELD
    return course if held or course != "go" else "come and go"
