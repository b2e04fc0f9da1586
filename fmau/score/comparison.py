"""The records of `fmau compare`: what two sets of answers differ in, and the verdict in words."""

from collections.abc import Sequence
from typing import Literal

from fmau.core.records import Record
from fmau.score.intervals import Interval

Test = Literal["McNemar exact", "sign flips over clips"]

LEVEL = 0.05
"""A difference is told apart from chance if its p value is below this."""

OVERALL = ("Final", "Closed-AVG", "Open-AVG")
"""The measures that can stand for a whole run; the first one that is known does."""


class Difference(Record):
    """The difference of two sets of answers in one measure.

    Attributes:
        name: the measure: "CMAR", "Closed-AVG", "MADU L1", ...
        first, second: its value in each set; percent, or 0 to 5 for levels.
        difference: second - first.
        interval: 95 % interval of the difference over clips; None for fewer than 2 clips. If every
            clip changed alike, it says how many clips of a kind not seen here there may be.
        p: p value of the hypothesis of no difference; None for fewer than 2 clips.
        p_holm: p adjusted for the number of tasks and levels compared; None for means over them.
        test: the test that gave p.
        gained, lost: answers that are better, or worse, in the second set; None for means.
        smallest: the smallest difference that this sample can detect with 80 % power at the 5 %
            level, from the bootstrap's standard error; None if that is not known, because there
            are fewer than 2 clips or every clip changed alike.
    """

    name: str
    first: float
    second: float
    difference: float
    interval: Interval | None
    p: float | None
    p_holm: float | None
    test: Test
    gained: int | None
    lost: int | None
    smallest: float | None


class Comparison(Record):
    """All differences of two sets of answers to the same questions.

    Only questions that both sets answer are compared. An answer that cannot be read is one, and is
    wrong; a question that was not asked yet, or whose clip or request failed, has none.

    Attributes:
        names: names of the two sets.
        verdict: what the comparison shows, in one sentence.
        differences: tasks and means, in the order of Table 4; levels if both sets were judged.
        clips: number of clips of the questions compared.
        asked: questions with gold answers, of the tasks compared.
        missing: how many of them have no answer in the first set, and in the second.
        compared: how many have an answer in both.
        judge: name of the judge whose levels are compared; None if no levels are compared.
        judge_is_proxy: the judge is the embedded rule, not an LLM.
        unscored: open questions, among those compared, that the judge did not score in both sets;
            the levels leave them out.
    """

    names: tuple[str, str]
    verdict: str
    differences: tuple[Difference, ...]
    clips: int
    asked: int
    missing: tuple[int, int]
    compared: int
    judge: str | None = None
    judge_is_proxy: bool = False
    unscored: int = 0

    @property
    def notes(self) -> list[str]:
        """For people: what the comparison leaves out; empty if it is about all questions."""
        notes = [
            f"{name} has no answer to {missing:,} of {self.asked:,} questions (not asked yet, or "
            "the clip or the request failed)"
            for name, missing in zip(self.names, self.missing, strict=True)
            if missing
        ]
        if notes:
            notes.append(f"only the {self.compared:,} questions that both answer are compared")
        if self.unscored:
            notes.append(
                f"{self.judge} has not scored {self.unscored:,} open answers in both; the levels "
                "leave them out"
            )
        return notes


def verdict(names: tuple[str, str], differences: Sequence[Difference]) -> str:
    """What the differences show, in one sentence.

    One mean over all tasks decides whether a set is better (level 5 %). Single tasks are told
    apart by p values that Holm's method adjusts for their number.
    """
    first, second = names
    known = {item.name: item for item in differences}
    overall = next((known[name] for name in OVERALL if name in known), None)
    apart = [item for item in differences if item.p_holm is not None and item.p_holm < LEVEL]
    alone = (
        "told apart alone: " + ", ".join(f"{item.name} {item.difference:+.2f}" for item in apart)
        if apart
        else "no task alone is told apart"
    )
    if overall is None:
        return f"{second} against {first}: {alone}"
    found = f"{overall.name} {overall.difference:+.2f}"
    if overall.p is None:
        return f"{second} and {first} cannot be told apart by one clip: {found}"
    found += f", p {p_value(overall.p)}"
    if overall.p < LEVEL:
        which = "better" if overall.difference > 0 else "worse"
        return f"{second} is {which} than {first}: {found}; {alone}"
    return f"{second} and {first} are not told apart: {found}; {alone}"


def p_value(p: float) -> str:
    """A p value with three decimals, for people."""
    return "<0.001" if p < 0.001 else f"{p:.3f}"
