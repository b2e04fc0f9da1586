"""Reference and answer -> scores: count what agrees and what contradicts, and grade it."""

from dataclasses import dataclass

from fmau.core.taxonomy import Task
from fmau.judge.embedded.features import Fact, Features, features, region
from fmau.judge.embedded.patterns import OPPOSITES
from fmau.judge.items import Opinion

NO_SCORE, REVERSED, MIXED, APPROXIMATE, OMITS, ALL = range(6)
"""The anchors of the rubric: 0 nothing or the opposite; 1 vague, or reversed; 2 only the broad
region, or right and wrong mixed; 3 approximate; 4 right, with a detail missing; 5 all."""

EVIDENCE = 3
"""How many pieces of evidence a chain of reasons needs."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """How far the facts of an answer agree with the facts of the reference.

    Attributes:
        recall: share of the reference's facts that the answer states, 0 to 1; 1 if the reference
            states none.
        precision: share of the answer's facts that the reference states, 0 to 1; of an answer
            without facts 0, or 1 if the reference states none either.
        contradictions: number of facts in the answer that the reference does not state, while it
            states their opposite.
        hits: number of facts that both state.
        empty: whether the answer states no fact.
    """

    recall: float
    precision: float
    contradictions: int
    hits: int
    empty: bool


def embedded_opinions(task: Task, reference: str, answer: str) -> dict[int, Opinion]:
    """Score an answer at levels 1, 2 and 3, as a proxy for a judge.

    Args:
        task: MADU or MARE.
        reference: the gold answer.
        answer: may be empty; then it scores 0.

    Returns:
        Level -> score of 0 to 5, with a rationale that begins with "proxy: ".
    """
    told, wanted = features(answer), features(reference)
    if not answer.strip():
        return {level: Opinion(NO_SCORE, "proxy: the answer is empty") for level in (1, 2, 3)}
    if task is Task.MADU:
        return {1: _meaning(wanted, told), 2: _space(wanted, told), 3: _time(wanted, told)}
    return {1: _coarse(wanted, told), 2: _fine(wanted, told), 3: _chain(wanted, told)}


def agreement(wanted: frozenset[Fact], told: frozenset[Fact]) -> Agreement:
    """Compare the facts of an answer (`told`) with those of the reference (`wanted`)."""
    hits = len(wanted & told)
    opposed = {fact for fact in told - wanted if _opposites(fact) & wanted}
    return Agreement(
        recall=hits / len(wanted) if wanted else 1.0,
        precision=hits / len(told) if told else float(not wanted),
        contradictions=len(opposed),
        hits=hits,
        empty=not told,
    )


def _opposites(fact: Fact) -> set[Fact]:
    """All facts that arise if one word of this fact is turned into its opposite."""
    return {
        (*fact[:place], OPPOSITES[word], *fact[place + 1 :])
        for place, word in enumerate(fact)
        if word in OPPOSITES
    }


def _graded(found: Agreement, what: str) -> Opinion:
    """The score for an agreement; in doubt the lower one.

    Args:
        found: the agreement.
        what: the facts are about, for the rationale.
    """
    said = (
        f"proxy: {found.hits} statements about {what} agree ({found.recall:.0%} of the "
        f"reference's, {found.precision:.0%} of the answer's), {found.contradictions} contradict"
    )
    if found.empty and found.recall < 1:
        return Opinion(NO_SCORE, said)
    if found.contradictions and found.contradictions >= found.hits:
        return Opinion(REVERSED if found.hits else NO_SCORE, said)
    # If most of the answer's facts are not in the reference, recall counts less: an answer that
    # lists everything must not score.
    share = found.recall * (1.0 if found.precision >= 0.5 else 2 * found.precision)
    anchors = ((0.95, ALL), (0.75, OMITS), (0.5, APPROXIMATE), (0.25, MIXED))
    score = next((score for least, score in anchors if share >= least), REVERSED)
    if not found.hits and found.recall < 1:
        score = NO_SCORE
    return Opinion(min(score, MIXED) if found.contradictions else score, said)


def _meaning(wanted: Features, told: Features) -> Opinion:
    graded = _graded(agreement(wanted.meaning, told.meaning), "parts and movements")
    same = told.lead == wanted.lead
    note = f"{graded.rationale}; led by {told.lead or 'no part'}, reference {wanted.lead or 'none'}"
    if same:
        # The right part is more than the right region, which is worth 2.
        return Opinion(max(graded.score, MIXED), note)
    near = region(told.lead) is not None and region(told.lead) == region(wanted.lead)
    return Opinion(min(graded.score, MIXED if near else REVERSED), note)


def _space(wanted: Features, told: Features) -> Opinion:
    return _graded(agreement(wanted.space, told.space), "sides and directions")


def _time(wanted: Features, told: Features) -> Opinion:
    return _graded(agreement(wanted.time, told.time), "phases and rhythm")


def _coarse(wanted: Features, told: Features) -> Opinion:
    if wanted.action is None:  # the reference tells only what moves and how: compare that
        return _meaning(wanted, told)
    if told.action is None:
        same = told.lead is not None and region(told.lead) == region(wanted.lead)
        said = f"proxy: no label named; led by {told.lead or 'no part'}"
        return Opinion(MIXED if same else NO_SCORE, said)
    said = f"proxy: {told.action.part}, reference {wanted.action.part}"
    return Opinion(ALL if told.action.part == wanted.action.part else REVERSED, said)


def _fine(wanted: Features, told: Features) -> Opinion:
    if wanted.action is None:
        return _meaning(wanted, told)
    if told.action is None:
        found = agreement(wanted.meaning, told.meaning)
        said = f"proxy: no label named; {found.hits} movements agree"
        return Opinion(REVERSED if found.hits else NO_SCORE, said)
    said = f"proxy: {told.action.label}, reference {wanted.action.label}"
    if told.action == wanted.action:
        return Opinion(ALL, said)
    return Opinion(MIXED if told.action.part == wanted.action.part else NO_SCORE, said)


def _chain(wanted: Features, told: Features) -> Opinion:
    """Score the chain of reasons: evidence, inference, exclusion of an alternative, label.

    An answer needs only the links that the reference has.
    """
    found = agreement(wanted.meaning | wanted.space, told.meaning | told.space)
    needed = min(EVIDENCE, len(wanted.meaning | wanted.space))
    links = {
        "evidence": found.hits >= needed and found.precision >= 1 / 2,
        "inference": told.infers > 0 or wanted.infers == 0,
        "exclusion": told.excludes > 0 or wanted.excludes == 0,
        "label": told.action == wanted.action,
    }
    missing = [name for name, is_there in links.items() if not is_there]
    said = f"proxy: {found.hits} pieces of evidence agree, {found.contradictions} contradict"
    said += f"; missing: {', '.join(missing)}" if missing else "; the chain is whole"
    if not found.hits:
        return Opinion(NO_SCORE, said)
    score = ALL - len(missing)
    if "label" in missing or found.contradictions >= found.hits:
        score = min(score, MIXED)
    return Opinion(max(score if not found.contradictions else min(score, OMITS), NO_SCORE), said)
