"""Plans one clip: its length, the time of the action, and secondary movements; `cast` uses it."""

from dataclasses import replace

from numpy.random import Generator

from fmau.core.taxonomy import action_by_code
from fmau.demo.mini.figure import Subject
from fmau.demo.mini.motions import DRIFTS
from fmau.demo.mini.plan import FPS, ClipPlan, Event, Side

REPEATED = {
    "A1": (1.5, 3.0), "B1": (2.0, 4.0), "B2": (2.0, 4.0), "C1": (1.5, 3.5), "C5": (2.5, 4.5),
    "C6": (3.0, 6.0), "C8": (1.5, 3.0), "C13": (3.0, 6.0), "D3": (5.0, 9.0), "E1": (1.0, 3.0),
    "E2": (2.0, 5.0), "E3": (2.0, 4.0), "E6": (1.0, 4.0), "F1": (1.0, 4.0), "F2": (2.0, 5.0),
    "F3": (1.5, 3.0), "F4": (2.0, 5.0), "F5": (1.0, 2.5), "F6": (3.0, 6.0), "F7": (2.0, 4.0),
    "F8": (2.0, 5.0), "G1": (1.5, 3.0), "G2": (2.0, 4.0), "G3": (3.0, 6.0), "G4": (3.0, 6.0),
}  # fmt: skip
"""Actions that go back and forth, with the range of cycles; 1 to 2 s as a rule."""

SYMMETRIC = {"A1", "A3", "A4", "A5", "B1", "B2", "B5", "B6", "C3", "C7", "C9", "C13", "D2", "D5",
             "D6", "E4", "F10"}  # fmt: skip
"""Actions without a side."""

BUSY = {
    "Body": {"drift:torso", "drift:head"},
    "Head": {"drift:head"},
    "Upper limb": {"drift:hand"},
    "Lower limb": {"drift:foot"},
    "Body-hand": {"drift:hand"},
    "Head-hand": {"drift:hand"},
    "Leg-hand": {"drift:hand", "drift:torso"},
}
"""Secondary movements that would disturb the actions of a group."""

SUBTLE = {"A2", "A4", "B1", "B2", "B3", "B4", "B5", "B6", "D1", "D3", "G2"}
"""Actions of about ten centimetres or less; secondary movements are made even smaller than them."""


def plan_clip(name: str, code: str, subject: Subject, rng: Generator) -> ClipPlan:
    """Plan one clip of an action.

    Args:
        name: name of the clip.
        code: taxonomy code of the dominant action.
        subject: the person; for pushing glasses (F5) the person gets glasses.
        rng: source of all randomness.
    """
    duration_s = float(1.0 + 4.0 * rng.beta(2.2, 5.8))
    events = [_dominant(code, duration_s, rng)]
    drifts = [drift for drift in DRIFTS if drift not in BUSY[action_by_code()[code].part]]
    count = int(rng.choice([0, 1, 2], p=[0.15, 0.45, 0.40]))
    for drift in rng.permutation(drifts)[:count]:
        events.append(_secondary(str(drift), events[0], duration_s, rng))
    return ClipPlan(
        name=name,
        subject=replace(subject, glasses=True) if code == "F5" else subject,
        frame_count=round(duration_s * FPS),
        events=tuple(events),
        seed=int(rng.integers(2**31)),
    )


def _side(code: str, rng: Generator) -> Side:
    if code in SYMMETRIC:
        return "none"
    return "left" if rng.random() < 0.5 else "right"


def _dominant(code: str, duration_s: float, rng: Generator) -> Event:
    onset_s = float(rng.uniform(0.0, 0.22) * duration_s)
    end_s = float(duration_s * rng.uniform(0.82, 1.0))
    cycles = 1.0
    if code in REPEATED:
        low, high = REPEATED[code]
        # No faster than about 4 Hz, except for jiggling legs.
        fastest = (7.0 if code == "D3" else 3.0) * (end_s - onset_s)
        cycles = float(max(1.2, min(rng.uniform(low, high), fastest)))
    amplitude = float(rng.uniform(0.7, 1.3))
    return Event(code, onset_s, end_s, _side(code, rng), amplitude, cycles)


def _secondary(code: str, dominant: Event, duration_s: float, rng: Generator) -> Event:
    length_s = min(duration_s, float(rng.uniform(0.5, 1.4)))
    onset_s = float(rng.uniform(0, duration_s - length_s))
    # The hand that acts has no time for anything else.
    free: Side = "right" if dominant.side == "left" else "left"
    side: Side = free if dominant.side in ("left", "right") else _side(code, rng)
    if dominant.code in SUBTLE:
        amplitude = dominant.amplitude * float(rng.uniform(0.35, 0.5))
    else:
        amplitude = float(rng.uniform(0.6, 1.0))
    return Event(code, onset_s, onset_s + length_s, side, amplitude, 1.0)
