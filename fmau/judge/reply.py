"""From a judge's reply to scores, or to the reason why there are none.

Only a reply that is one JSON object of exactly the keys asked for is read: nothing is searched for
in free text, where a judge may be quoting the candidate. Everything else is unscored, never 0.
"""

import json
import re
from dataclasses import dataclass
from typing import Any

from fmau.core.records import LEVEL_MAX, VerdictStatus
from fmau.prompting.extraction import is_refusal, strip_thinking
from fmau.serve.client import Reply

RATIONALE = "rationale"

_FENCED = re.compile(r"```(?:json)?\s*(.*?)\s*```", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Judged:
    """What a reply amounts to.

    Attributes:
        status: how the call ended.
        scores: level -> 0 to 5; None unless scored.
        rationale: the judge's words; None unless scored.
        reason: why there is no score; None if scored.
    """

    status: VerdictStatus
    scores: dict[int, int] | None = None
    rationale: str | None = None
    reason: str | None = None


def reply_schema(levels: tuple[int, ...], rationale_chars: int | None) -> dict[str, Any]:
    """JSON schema of a reply: the rationale first, so that it is written before the scores.

    Args:
        rationale_chars: longest rationale; None for no limit. Small models ramble without one.
    """
    rationale: dict[str, Any] = {"type": "string"}
    if rationale_chars is not None:
        rationale["maxLength"] = rationale_chars
    score = {"type": "integer", "enum": list(range(LEVEL_MAX + 1))}
    properties = {RATIONALE: rationale} | {f"L{level}": score for level in levels}
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def read_reply(reply: Reply, levels: tuple[int, ...]) -> Judged:
    """The scores in a reply to a request about `levels`."""
    if reply.finish_reason == "content_filter":
        return Judged(VerdictStatus.REFUSED, reason="withheld by a content filter")
    text = strip_thinking(reply.text)
    if text is None or reply.finish_reason == "length":
        return Judged(VerdictStatus.TRUNCATED, reason="the reply reached the token limit")
    if fenced := _FENCED.fullmatch(text):
        text = fenced[1]
    try:
        pairs = json.loads(text, object_pairs_hook=_Pairs)
    except (ValueError, RecursionError):  # the latter for thousands of brackets
        return _no_json(text)
    if not isinstance(pairs, _Pairs):
        return Judged(VerdictStatus.UNPARSED, reason="the reply is JSON, but no object")
    return _read_pairs(pairs, levels)


class _Pairs(list[tuple[str, Any]]):
    """The pairs of a JSON object in order, repeated keys and all."""


def _read_pairs(pairs: _Pairs, levels: tuple[int, ...]) -> Judged:
    keys = [key for key, _ in pairs]
    wanted = [RATIONALE, *(f"L{level}" for level in levels)]
    if sorted(keys) != sorted(wanted):
        reason = f"the reply's keys are {', '.join(keys) or 'none'}, not {', '.join(wanted)}"
        return Judged(VerdictStatus.UNPARSED, reason=reason)
    values = dict(pairs)
    rationale = values.pop(RATIONALE)
    if not isinstance(rationale, str):
        return Judged(VerdictStatus.UNPARSED, reason="the rationale is no text")
    for key, value in values.items():
        if type(value) is not int or not 0 <= value <= LEVEL_MAX:  # True is an int, but no score
            said = json.dumps(value)[:40]
            reason = f"{key} is {said}, not an integer of 0 to {LEVEL_MAX}"
            return Judged(VerdictStatus.OUT_OF_RANGE, reason=reason)
    scores = {level: values[f"L{level}"] for level in levels}
    return Judged(VerdictStatus.SCORED, scores, rationale)


def _no_json(text: str) -> Judged:
    if is_refusal(text):
        return Judged(VerdictStatus.REFUSED, reason=f"the judge declined: {text[:80]!r}")
    return Judged(VerdictStatus.UNPARSED, reason=f"the reply is no JSON: {text[:80]!r}")
