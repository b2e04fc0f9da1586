"""A second opinion on mini questions and captions: reads text and raw trajectories, nothing else.

It parses the English of a question with regular expressions and answers from the positions in
`truth.parquet` by the plainest definition, with one threshold half-way between the two that the
generator keeps clear of. It shares no code with `fmau.demo.mini` but the names and order of the
parts.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

SIDED = ("upper arm", "lower arm", "hand", "upper leg", "lower leg", "foot")
PARTS = ["head", "torso", *(f"{side} {limb}" for limb in SIDED for side in ("left", "right"))]
PHASES = ("early", "middle", "late")
AXES = {"leftward": (0, 1), "rightward": (0, -1), "upward": (1, 1), "downward": (1, -1)}
AXES |= {"forward": (2, 1), "backward": (2, -1)}
MOVED_M = 0.02

P = rf"(?P<one>{'|'.join(PARTS)})"
Q = rf"(?P<two>{'|'.join(PARTS)})"
K = r"(?P<phase>early|middle|late) (?:phase|segment|stage)"
W = rf"(?P<word>{'|'.join(AXES)})"


@dataclass(frozen=True)
class Tracks:
    """Positions of all parts of a clip, T x 14 x 3, and its frame rate."""

    positions: NDArray[np.float64]
    fps: float

    @classmethod
    def of(cls, row: dict[str, Any]) -> "Tracks":
        """From a row of truth.parquet."""
        flat = np.asarray(row["positions"], np.float64)
        return cls(flat.reshape(row["frame_count"], 14, 3), row["fps"])

    def part(self, name: str, phase: str | None = None) -> NDArray[np.float64]:
        """Path of a part, T x 3, in the clip or in a phase."""
        path = self.positions[:, PARTS.index(name)]
        if not phase:
            return path
        last = len(path) - 1
        number = PHASES.index(phase)
        first_frame, last_frame = (int(np.rint(last * n / 3)) for n in (number, number + 1))
        return path[first_frame : last_frame + 1]

    def widest(self) -> str:
        """Name of the part with the largest reach."""
        return max(PARTS, key=lambda name: reach(self.part(name)))


def net(path: NDArray[np.float64], word: str) -> float:
    axis, sense = AXES[word]
    return float(sense * (path[-1, axis] - path[0, axis]))


def box(path: NDArray[np.float64]) -> float:
    """Diagonal of the bounding box, at most 1.73 times the largest distance."""
    return float(np.linalg.norm(path.max(0) - path.min(0)))


def reach(path: NDArray[np.float64]) -> float:
    return float(np.sqrt(((path[:, None] - path[None]) ** 2).sum(-1)).max())


def length(path: NDArray[np.float64]) -> float:
    return float(sum(np.linalg.norm(b - a) for a, b in pairwise(path)))


def both_ways(path: NDArray[np.float64], axis: int) -> bool:
    later_minus_earlier = path[None, :, axis] - path[:, None, axis]
    runs = later_minus_earlier[np.triu_indices(len(path))]
    return bool(runs.max() >= MOVED_M and runs.min() <= -MOVED_M)


def reversals(path: NDArray[np.float64]) -> int:
    """Zigzag count: a turn is booked once the path has come back by the height of a swing."""
    _, vectors = np.linalg.eigh(np.cov(path.T))
    values = path @ vectors[:, -1]
    height = max(0.022, 0.3 * (values.max() - values.min()))
    count, high, low, sense = 0, values[0], values[0], 0
    for value in values:
        high, low = max(high, value), min(low, value)
        if sense >= 0 and value <= high - height:
            count, sense, low, high = count + (sense > 0), -1, value, value
        elif sense <= 0 and value >= low + height:
            count, sense, low, high = count + (sense < 0), 1, value, value
    return count


def start_frame(path: NDArray[np.float64]) -> int:
    away = np.linalg.norm(path - path[0], axis=1)
    return int(np.argmax(away >= max(MOVED_M, 0.15 * away.max())))


def stop_frame(path: NDArray[np.float64]) -> int:
    return len(path) - 1 - start_frame(path[::-1])


def distance_change(t: Tracks, one: str, two: str, phase: str) -> float:
    gaps = np.linalg.norm(t.part(one, phase) - t.part(two, phase), axis=1)
    return float(gaps[-1] - gaps[0])


Rule = Callable[[Tracks, dict[str, str]], bool]


def _ordered(frame: Callable[[NDArray[np.float64]], int]) -> Rule:
    def rule(t: Tracks, m: dict[str, str]) -> bool:
        one, two = frame(t.part(m["one"])), frame(t.part(m["two"]))
        return one < two if m["order"] == "before" else one > two

    return rule


def _same_way(t: Tracks, m: dict[str, str]) -> bool:
    word = {"horizontal": "leftward", "vertical": "upward"}[m["axis"]]
    product = net(t.part(m["one"], m["phase"]), word) * net(t.part(m["two"], m["phase"]), word)
    return product > 0 if m["manner"] == "the same" else product < 0


def _extreme(t: Tracks, m: dict[str, str]) -> bool:
    axis = 1 if m["first"] in ("highest", "lowest") else 0
    values = t.part(m["one"])[:, axis]
    top, bottom = int(values.argmax()), int(values.argmin())
    return top < bottom if m["first"] in ("highest", "leftmost") else bottom < top


def _apart(t: Tracks, m: dict[str, str]) -> bool:
    change = distance_change(t, m["one"], m["two"], m["phase"])
    return change > MOVED_M if m["verb"].startswith("move") else change < -MOVED_M


def _returned(t: Tracks, m: dict[str, str]) -> bool:
    path = t.part(m["one"])
    return bool(np.linalg.norm(path[-1] - path[0]) < 0.29 * box(path))


def _still(t: Tracks, m: dict[str, str]) -> bool:
    return box(t.part(m["one"], m.get("phase"))) < 0.025


def _moves_that_way(t: Tracks, m: dict[str, str]) -> bool:
    return net(t.part(m["one"], m["phase"]), m["word"]) > MOVED_M


ORDER = r"(?P<order>before|after)"
RULES: list[tuple[str, Rule]] = [
    (rf"does the {P} move {W} (?:during|in) the {K}", _moves_that_way),
    (rf"is there a {W} movement of the {P} (?:during|in) the {K}", _moves_that_way),
    (
        rf"does the {P} (?:stay nearly still|remain almost stationary) "
        rf"(?:(?:during|in) the {K}|throughout the video)",
        _still,
    ),
    (rf"does the {P} end close to the position it started from", _returned),
    (rf"does the {P} return near its starting position", _returned),
    (
        rf"does the {P} (?:move back and forth repeatedly|perform a repeated back-and-forth)",
        lambda t, m: reversals(t.part(m["one"])) >= 2.5,
    ),
    (
        rf"does the {P} move both {W} and \w+",
        lambda t, m: both_ways(t.part(m["one"]), AXES[m["word"]][0]),
    ),
    (
        rf"does the {P} cross the (?:midline of the body|body's midline)",
        lambda t, m: bool(t.part(m["one"])[:, 0].min() < 0 < t.part(m["one"])[:, 0].max()),
    ),
    (
        rf"(?:does|is) the {P} (?:move more|more active) in the (?P<a>\w+) phase "
        r"than in the (?P<b>\w+) phase",
        lambda t, m: length(t.part(m["one"], m["a"])) > length(t.part(m["one"], m["b"])),
    ),
    (
        rf"(?:do|are) the {P} and the {Q} both (?:clearly move|in motion) (?:during|in) the {K}",
        lambda t, m: min(box(t.part(m[n], m["phase"])) for n in ("one", "two")) > 0.025,
    ),
    (
        rf"do the {P} and the {Q} move in (?P<manner>the same|opposite) "
        rf"(?P<axis>\w+) directions? (?:during|in) the {K}",
        _same_way,
    ),
    (
        r"is it in (?P<manner>the same|opposite) (?P<axis>\w+) directions? "
        rf"that the {P} and the {Q} move (?:during|in) the {K}",
        _same_way,
    ),
    (
        rf"does the {P} show a larger range of movement than the {Q}",
        lambda t, m: reach(t.part(m["one"])) > reach(t.part(m["two"])),
    ),
    (
        rf"compared with the {Q}, does the {P} move over a larger range",
        lambda t, m: reach(t.part(m["one"])) > reach(t.part(m["two"])),
    ),
    (rf"did the {P} (?:begin moving|start its movement) {ORDER} the {Q}", _ordered(start_frame)),
    (rf"did the {P} (?:come to rest|finish its movement) {ORDER} the {Q}", _ordered(stop_frame)),
    (rf"did the {P} reach its (?P<first>\w+) point before its \w+ point", _extreme),
    (rf"was the {P} at its (?P<first>\w+) point earlier than at its \w+ point", _extreme),
    (
        rf"the {K}(?: of the video)?, does the {P} (?:noticeably )?"
        rf"(?P<verb>approach|move away from) the {Q}",
        _apart,
    ),
    (
        rf"the {K} of the video, do the {P} and the {Q} "
        r"(?P<verb>come closer to|move apart from) each other",
        _apart,
    ),
]


def yes_or_no(question: str, tracks: Tracks) -> str:
    """Answer a yes/no question from its text and the trajectories."""
    for pattern, rule in RULES:
        match = re.search(pattern, question.lower())
        if match:
            return "Yes" if rule(tracks, match.groupdict()) else "No"
    raise AssertionError(f"the oracle doesn't understand: {question}")


def letter(question: str, label: str) -> str:
    """The letter of the option that names the label."""
    (found,) = re.findall(rf"^([A-G])\. {re.escape(label)}$", question, flags=re.M)
    return str(found)


def false_claims(text: str, tracks: Tracks) -> list[str]:
    """Claims of a caption that the trajectories contradict."""
    wrong = []
    for claim, holds in _claims(text, tracks):
        if not holds:
            wrong.append(claim)
    return wrong


def _claims(text: str, t: Tracks) -> list[tuple[str, bool]]:
    claims = []
    for sentence in re.split(r"(?<=[.])\s+", text):
        lower = sentence.lower()
        if lower.startswith("throughout the video the "):
            lower = lower.replace("throughout the video", "in the early, middle and late phases")
        if lower.startswith("in the ") and " moves closer " not in lower:
            claims += _timeline_claims(lower, t)
        if match := re.search(rf"the {P} (?:approaches|moves closer to) the {Q}", lower):
            phase = re.search(r"in the (\w+) phase", lower)
            assert phase
            change = distance_change(t, match["one"], match["two"], phase[1])
            claims.append((sentence, change < -MOVED_M))
            if later := re.search(r"moves away from it in the (\w+) phase", lower):
                change = distance_change(t, match["one"], match["two"], later[1])
                claims.append((sentence, change > MOVED_M))
        if match := re.search(rf"the {P} (?:starts .* and )?(ends near|does not return)", lower):
            claims.append((sentence, _returned(t, match.groupdict()) == (match[2] == "ends near")))
        if match := re.search(rf"the {P} starts at about ([\d.]+) seconds", lower):
            start_s = start_frame(t.part(match["one"])) / t.fps
            claims.append((sentence, abs(start_s - float(match[2])) < 0.25))
        if match := re.search(
            rf"the {P} starts close to the {Q} and moves away .* the (\w+)", lower
        ):
            start_m = np.linalg.norm(t.part(match["one"])[0] - t.part(match["two"])[0])
            change = distance_change(t, match["one"], match["two"], match[3])
            claims.append((sentence, bool(start_m < 0.28 and change > MOVED_M)))
        if match := re.search(rf"the {P} shows the largest movement", lower):
            claims.append((sentence, t.widest() == match["one"]))
        if match := re.search(r"while (.*) follows?\.", lower):
            leader = re.search(P, lower.split(" while ")[0])
            assert leader
            for part in re.findall(P, match[1]):
                ordered = MOVED_M < reach(t.part(part)) < reach(t.part(leader[0]))
                claims.append((sentence, ordered))
        if match := re.search(rf"the {P} crosses the midline", lower):
            x = t.part(match["one"])[:, 0]
            claims.append((sentence, bool(x.min() < 0 < x.max())))
        if re.search(r"stays? still\.$", lower) and not lower.startswith("in the "):
            claims += [(sentence, box(t.part(part)) < 0.025) for part in _still_names(lower)]
    return claims


def _timeline_claims(sentence: str, t: Tracks) -> list[tuple[str, bool]]:
    claims = []
    (subject,) = re.findall(rf"the ({'|'.join(PARTS)}) ", sentence)
    for clause in re.split(r"; |\.$", sentence.strip()):
        for phase in [name for name in PHASES if re.search(rf"\b{name}\b", clause)]:
            path = t.part(subject, phase)
            if "stays still" in clause:
                claims.append((f"{phase}: {clause}", box(path) < 0.025))
            for word in re.findall(W, clause) if "backward and" not in clause else []:
                if "forward and backward" not in clause:
                    claims.append((f"{phase}: {clause}", net(path, word) > MOVED_M))
    return claims


def _still_names(sentence: str) -> list[str]:
    names = [part for part in PARTS if f"the {part}" in sentence]
    if "the legs and feet" in sentence:
        names += [part for part in PARTS if part.endswith(("leg", "foot"))]
    if "both arms" in sentence:
        names += [part for part in PARTS if part.endswith("arm")]
    for plural, single in (("hands", "hand"), ("feet", "foot"), ("upper legs", "upper leg")):
        if f"both {plural}" in sentence:
            names += [f"left {single}", f"right {single}"]
    if "both lower legs" in sentence:
        names += ["left lower leg", "right lower leg"]
    return names
