"""Plan the judge calls about some answers, and build the request of each.

The system prompt contains the rubric of the levels to judge, the user prompt the single case. So
all cases of one task and level share the first part of the prompt, and a server with a prefix cache
computes the rubric only once.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from fmau.core.templates import fill
from fmau.judge.candidate import Shown, quoted, shown
from fmau.judge.items import JudgeItem
from fmau.judge.judges import LlmJudge
from fmau.judge.reply import reply_schema
from fmau.judge.rubric import Rubric
from fmau.runs import verdict_fingerprint
from fmau.serve.client import ChatRequest


@dataclass(frozen=True, slots=True)
class Call:
    """One planned call of a judge.

    Attributes:
        item: the answer to judge.
        levels: the levels to ask about.
        sample: number of the opinion, from 0.
        fingerprint: hash of everything that can change the verdict.
    """

    item: JudgeItem
    levels: tuple[int, ...]
    sample: int
    fingerprint: str


def call_fingerprint(
    judge_fingerprint: str, item: JudgeItem, levels: tuple[int, ...], sample: int
) -> str:
    """SHA-256 (hex) of the judge's fingerprint and everything about one call."""
    case = (item.qid, str(item.task), item.question, item.reference, item.answer)
    return verdict_fingerprint(judge_fingerprint, case, levels, sample)


def plan_calls(items: Sequence[JudgeItem], judge: LlmJudge, judge_fingerprint: str) -> list[Call]:
    """All calls about `items`; calls with the same rubric text follow one another."""
    calls = [
        Call(item, levels, sample, call_fingerprint(judge_fingerprint, item, levels, sample))
        for item in items
        for levels, sample in judge.opinions
    ]
    return sorted(calls, key=lambda call: (str(call.item.task), call.levels))  # stable


def build_request(call: Call, judge: LlmJudge, rubric: Rubric) -> ChatRequest:
    """Build the request of a call."""
    fields = {
        **({} if judge.temperature is None else {"temperature": judge.temperature}),
        "seed": call.sample,
        "response_format": {
            "type": "json_schema",
            "json_schema": {
                "name": "verdict",
                "strict": True,
                "schema": reply_schema(call.levels, judge.rationale_chars),
            },
        },
        **judge.fields,
    }
    fields = {name: value for name, value in fields.items() if value is not None}
    limit = judge.remote.limit_field if judge.remote else "max_tokens"
    # A session per call spreads the calls over our own servers; each caches the rubric anyway.
    session = call.fingerprint if judge.served else None
    return ChatRequest(prompt(call, rubric), judge.max_tokens, fields, limit, session)


def prompt(call: Call, rubric: Rubric) -> list[dict[str, str]]:
    """The messages of a call."""
    item = call.item
    case = fill(
        rubric.case,
        question=quoted(item.question),
        reference=quoted(item.reference),
        candidate=quoted(seen(item).text),
    )
    return [
        {"role": "system", "content": rubric.instructions(item.task, call.levels)},
        {"role": "user", "content": case.strip()},
    ]


def seen(item: JudgeItem) -> Shown:
    """The answer as the judge sees it, and the removed passages."""
    return shown(item.answer)
