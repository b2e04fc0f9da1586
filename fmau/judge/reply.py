"""Read the scores from a judge's reply, or give the reason why there are none.

A reply must be one JSON object with exactly the requested keys. Free text is not searched for
scores, because it may quote the candidate. Any other reply is unscored; it never counts as 0.
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
    """The result of reading a reply.

    Attributes:
        status: how the call ended.
        scores: level -> 0 to 5; None unless scored.
        rationale: the judge's explanation; None unless scored.
        reason: why there is no score; None if scored.
    """

    status: VerdictStatus
    scores: dict[int, int] | None = None
    rationale: str | None = None
    reason: str | None = None


def reply_schema(levels: tuple[int, ...], rationale_chars: int | None) -> dict[str, Any]:
    """JSON schema of a reply. The rationale is first, so that it is written before the scores.

    Args:
        rationale_chars: longest rationale, in characters; None for no limit. Without a limit small
            models may write without end.
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
    """Read the scores from the reply to a request about `levels`."""
    if reply.refusal is not None:
        return Judged(VerdictStatus.REFUSED, reason=f"the judge refused: {reply.refusal[:80]!r}")
    if reply.finish_reason == "content_filter":
        return Judged(VerdictStatus.REFUSED, reason="withheld by a content filter")
    text = strip_thinking(reply.text)
    if text is None or reply.finish_reason == "length":
        return Judged(VerdictStatus.TRUNCATED, reason="the reply reached the token limit")
    if fenced := _FENCED.fullmatch(text):
        text = fenced[1]
    try:
        pairs = json.loads(text, object_pairs_hook=_Pairs)
    except (ValueError, RecursionError):  # RecursionError: thousands of nested brackets
        return _no_json(text)
    if not isinstance(pairs, _Pairs):
        return Judged(VerdictStatus.UNPARSED, reason="the reply is JSON, but not an object")
    return _read_pairs(pairs, levels)


class _Pairs(list[tuple[str, Any]]):
    """The pairs of a JSON object in order; repeated keys are kept."""


def _read_pairs(pairs: _Pairs, levels: tuple[int, ...]) -> Judged:
    keys = [key for key, _ in pairs]
    wanted = [RATIONALE, *(f"L{level}" for level in levels)]
    if sorted(keys) != sorted(wanted):
        reason = f"the reply's keys are {', '.join(keys) or 'none'}, not {', '.join(wanted)}"
        return Judged(VerdictStatus.UNPARSED, reason=reason)
    values = dict(pairs)
    rationale = values.pop(RATIONALE)
    if not isinstance(rationale, str):
        return Judged(VerdictStatus.UNPARSED, reason="the rationale is not a text")
    for key, value in values.items():
        if type(value) is not int or not 0 <= value <= LEVEL_MAX:  # not isinstance: True is an int
            said = json.dumps(value)[:40]
            reason = f"{key} is {said}, not an integer from 0 to {LEVEL_MAX}"
            return Judged(VerdictStatus.OUT_OF_RANGE, reason=reason)
    scores = {level: values[f"L{level}"] for level in levels}
    return Judged(VerdictStatus.SCORED, scores, rationale)


def _no_json(text: str) -> Judged:
    if is_refusal(text):
        return Judged(VerdictStatus.REFUSED, reason=f"the judge refused: {text[:80]!r}")
    return Judged(VerdictStatus.UNPARSED, reason=f"the reply is not JSON: {text[:80]!r}")
