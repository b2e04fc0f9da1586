"""Measures a clip's trajectories: the facts from which captions and answers are derived.

`observe` only measures. Captions and questions compare each measure with two thresholds: above the
larger one a fact is clearly true, below the smaller one it is clearly false. Facts between the two
are neither written nor asked about. The small sway of the body is below every smaller threshold.

Array suffixes: K the phases (early, middle, late), P the parts of `BODY_PARTS`, D the axes x, y, z,
S the two senses of an axis (toward plus, toward minus).
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.signal import find_peaks
from scipy.spatial.distance import pdist

from fmau.demo.mini.plan import BODY_PARTS, Motion

Floats = NDArray[np.float64]

PHASES: Final = ("early", "middle", "late")
"""Thirds of the clip."""

DIRECTIONS: Final = ("leftward", "rightward", "upward", "downward", "forward", "backward")
"""Plus and minus sense of x, y and z; left and right are the subject's own."""

CLEAR_M: Final = 0.03
"""A displacement, or a change of distance, from which on a movement is clear."""

SLACK_M: Final = 0.012
"""Movement up to here counts as none: idle sway and following along."""

ONSET_GAP_S: Final = 0.12
"""Two moments closer than this are not put in order."""

GREAT_SWING: Final = (0.03, 0.4)
SMALL_SWING: Final = (0.015, 0.0)
"""Least height of a swing that counts as a turn: in metres, and as a share of the whole range."""


def part_index(part: str) -> int:
    """Index of a part on the P axis.

    >>> part_index("torso")
    1
    """
    return BODY_PARTS.index(part)


def axis_sense(direction: str) -> tuple[int, int]:
    """Axis on D and sense on S of a direction word.

    >>> axis_sense("downward")
    (1, 1)
    """
    return divmod(DIRECTIONS.index(direction), 2)


@dataclass(frozen=True, slots=True)
class Interval:
    """The earliest and latest time of a moment, in seconds; infinite if it never comes."""

    early_s: float
    late_s: float

    def before(self, other: "Interval") -> bool:
        """True if this moment certainly and visibly comes before the other."""
        bounds = (self.early_s, self.late_s, other.early_s, other.late_s)
        return bool(np.isfinite(bounds).all() and self.late_s + ONSET_GAP_S <= other.early_s)


@dataclass(frozen=True, slots=True)
class Facts:
    """Measures of one clip; metres and seconds.

    Attributes:
        duration_s: length of the clip.
        net_KPD: displacement from the start to the end of each phase.
        sweep_KPDS: longest way of each part in each direction within a phase, i.e. the largest
            x(t2) - x(t1) over t1 < t2; never less than the net displacement in this direction.
        sweep_PDS: the same within the whole clip.
        extent_P: largest distance between any two positions of the part in the clip.
        extent_KP: the same within each phase.
        path_KP: length of the path within each phase.
        gap_P: distance between first and last position.
        turns_PS: number of turns along the part's main axis: only of large swings (0), or of small
            ones too (1). Every sensible count is between the two.
        across_PS: largest distance to the subject's left (0) and right (1) of the midline; negative
            if the part is never on that side.
        onset_P: time at which the part begins to move.
        rest_P: time at which the part reaches its final position.
        change_KPP: net change of the distance between two parts in each phase.
        parting_KPP, closing_KPP: largest increase and largest decrease of that distance within
            each phase.
        nearest_PP: smallest distance between two parts in the clip.
        positions_TPD: the trajectories, for facts that only one sentence needs.
    """

    duration_s: float
    net_KPD: Floats
    sweep_KPDS: Floats
    sweep_PDS: Floats
    extent_P: Floats
    extent_KP: Floats
    path_KP: Floats
    gap_P: Floats
    turns_PS: NDArray[np.int64]
    across_PS: Floats
    onset_P: tuple[Interval, ...]
    rest_P: tuple[Interval, ...]
    change_KPP: Floats
    parting_KPP: Floats
    closing_KPP: Floats
    nearest_PP: Floats
    positions_TPD: Floats

    def moves(self, part: int, phase: int | None = None) -> bool:
        """True if the part clearly moves, in the clip or in one phase (0 to 2)."""
        extent = self.extent_P if phase is None else self.extent_KP[phase]
        return bool(extent[part] >= CLEAR_M)

    def still(self, part: int, phase: int | None = None) -> bool:
        """True if the part clearly stays still, in the clip or in one phase (0 to 2)."""
        extent = self.extent_P if phase is None else self.extent_KP[phase]
        return bool(extent[part] <= SLACK_M)

    def goes(self, part: int, phase: int, direction: str) -> bool | None:
        """Whether the part moves in this direction in the phase; None if it is not clear.

        True needs a clear net displacement in this direction, of at least 40 % of the whole net
        displacement. False needs that the part never moves noticeably in this direction.
        """
        axis, sense = axis_sense(direction)
        net = self.net_KPD[phase, part]
        along = net[axis] * (1 - 2 * sense)
        if along >= CLEAR_M and along >= 0.4 * np.linalg.norm(net):
            return True
        return False if self.sweep_KPDS[phase, part, axis, sense] <= SLACK_M else None

    def nears(self, part: int, other: int, phase: int) -> bool | None:
        """Whether the parts come closer in the phase; None if it is not clear."""
        if self.change_KPP[phase, part, other] <= -CLEAR_M:
            return True
        return False if self.closing_KPP[phase, part, other] <= SLACK_M else None

    def parts_from(self, part: int, other: int, phase: int) -> bool | None:
        """Whether the parts move apart in the phase; None if it is not clear."""
        if self.change_KPP[phase, part, other] >= CLEAR_M:
            return True
        return False if self.parting_KPP[phase, part, other] <= SLACK_M else None


def phase_bounds(frame_count: int) -> NDArray[np.int64]:
    """Frame indices at 0, 1/3, 2/3 and the end of a clip; neighbouring phases share a frame.

    >>> phase_bounds(31).tolist()
    [0, 10, 20, 30]
    """
    return np.round(np.linspace(0, frame_count - 1, 4)).astype(np.int64)


def observe(motion: Motion) -> Facts:
    """Measure one clip.

    Args:
        motion: trajectories of all parts, at least 12 frames.

    Returns:
        The measures; see `Facts`.

    Raises:
        ValueError: the clip is shorter than 12 frames or a position is not finite.
    """
    positions_TPD = np.asarray(motion.positions_TPD, np.float64)
    if len(positions_TPD) < 12 or not np.isfinite(positions_TPD).all():
        raise ValueError(f"need 12 or more frames of finite positions, got {positions_TPD.shape}")
    bounds = phase_bounds(len(positions_TPD))
    phases = [positions_TPD[a : b + 1] for a, b in pairwise(bounds)]
    distances = [_distances(phase) for phase in phases]
    steps = [np.linalg.norm(np.diff(phase, axis=0), axis=-1) for phase in phases]
    return Facts(
        duration_s=len(positions_TPD) / motion.fps,
        net_KPD=np.stack([phase[-1] - phase[0] for phase in phases]),
        sweep_KPDS=np.stack([_sweeps(phase) for phase in phases]),
        sweep_PDS=_sweeps(positions_TPD),
        extent_P=_extent(positions_TPD),
        extent_KP=np.stack([_extent(phase) for phase in phases]),
        path_KP=np.stack([step.sum(axis=0) for step in steps]),
        gap_P=np.linalg.norm(positions_TPD[-1] - positions_TPD[0], axis=-1),
        turns_PS=np.array([_turns(track_TD) for track_TD in positions_TPD.swapaxes(0, 1)]),
        across_PS=np.stack(
            [positions_TPD[..., 0].max(axis=0), -positions_TPD[..., 0].min(axis=0)], axis=-1
        ),
        onset_P=_onsets(positions_TPD, motion.fps),
        rest_P=_rests(positions_TPD, motion.fps),
        change_KPP=np.stack([d[-1] - d[0] for d in distances]),
        parting_KPP=np.stack([_sweep(d) for d in distances]),
        closing_KPP=np.stack([_sweep(-d) for d in distances]),
        nearest_PP=np.min([d.min(axis=0) for d in distances], axis=0),
        positions_TPD=positions_TPD,
    )


def _sweep(values_T: Floats) -> Floats:
    """Largest rise from an earlier to a later value, along the first axis."""
    sweep: Floats = (values_T - np.minimum.accumulate(values_T, axis=0)).max(axis=0)
    return sweep


def _sweeps(positions_TPD: Floats) -> Floats:
    """Largest run of each part along both senses of each axis, PDS."""
    return np.stack([_sweep(positions_TPD), _sweep(-positions_TPD)], axis=-1)


def _distances(positions_TPD: Floats) -> Floats:
    """Distance between every two parts at every frame, TPP."""
    offsets = positions_TPD[:, :, None] - positions_TPD[:, None]
    return np.asarray(np.linalg.norm(offsets, axis=-1))


def _extent(positions_TPD: Floats) -> Floats:
    """Largest distance between any two positions of each part."""
    return np.array([pdist(track_TD).max() for track_TD in positions_TPD.swapaxes(0, 1)])


def _turns(track_TD: Floats) -> list[int]:
    """Turns along the axis of largest variance, for great and for small swings."""
    centred = track_TD - track_TD.mean(axis=0)
    main_axis = np.linalg.svd(centred, full_matrices=False)[2][0]
    along_T = centred @ main_axis
    heights = [max(least, share * np.ptp(along_T)) for least, share in (GREAT_SWING, SMALL_SWING)]
    return [
        sum(len(find_peaks(sense * along_T, prominence=height)[0]) for sense in (1, -1))
        for height in heights
    ]


def _onsets(positions_TPD: Floats, fps: float) -> tuple[Interval, ...]:
    """The earliest and latest time at which each part leaves its first position.

    Earliest: farther away than sway. Latest: a quarter of its largest distance away, but at least
    `CLEAR_M`. Every sensible definition of "starts to move" gives a time between the two.
    """
    away_TP = np.linalg.norm(positions_TPD - positions_TPD[0], axis=-1)
    late_P = np.maximum(CLEAR_M, 0.25 * away_TP.max(axis=0))
    return tuple(
        Interval(_first(away > SLACK_M) / fps, _first(away >= late) / fps)
        for away, late in zip(away_TP.T, late_P, strict=True)
    )


def _rests(positions_TPD: Floats, fps: float) -> tuple[Interval, ...]:
    """The earliest and latest time at which each part reaches its last position.

    They are the onsets of the clip played backwards.
    """
    last_s = (len(positions_TPD) - 1) / fps
    return tuple(
        Interval(last_s - onset.late_s, last_s - onset.early_s)
        for onset in _onsets(positions_TPD[::-1], fps)
    )


def _first(mask_T: NDArray[np.bool_]) -> float:
    """Index of the first true frame, inf if there is none."""
    return float(np.argmax(mask_T)) if mask_T.any() else np.inf
