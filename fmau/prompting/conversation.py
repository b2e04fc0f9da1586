"""The one place where question, frames and prompts become messages.

Training and answering both build their conversations here, so that a model is asked in the very
words it was trained on. The order within a conversation is chosen for the server's prefix cache:

    system    PromptSet.system                constant
    user      the video                       one clip
              PromptSet.common                constant
              task template + question        differs per question
    assistant the answer                      in training alone

so the questions about one clip share everything up to the end of `common`. Video and text are two
parts of the user turn, the text a single one: templates differ in how they join several.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from fmau.core.records import Option, Question
from fmau.prompting.prompts import PromptSet

Message = dict[str, Any]
"""One turn, {"role": ..., "content": [part, ...]}, as chat templates and the OpenAI API take it."""

VIDEO_PART = {"type": "video"}
"""The content part that stands for the clip in a chat template of Transformers."""


def question_text(question: Question, *, strip_class_codes: bool) -> str:
    """The stem and, one a line, the options: "A. Head".

    Args:
        strip_class_codes: leave out codes such as " - A1", which mark the right option in part of
            MA-Bench; False gives the question as its file has it.
    """
    options = [_option_line(option, strip_class_codes) for option in question.options]
    return "\n".join([question.stem, *options])


def user_text(question: Question, prompts: PromptSet) -> str:
    """All text that follows the video: the common part, then the task with the question."""
    text = question_text(question, strip_class_codes=prompts.strip_class_codes)
    return _after_common(prompts, prompts.fill(question.task, text))


def messages(
    question: Question, prompts: PromptSet, video: Mapping[str, Any] | None
) -> list[Message]:
    """The conversation up to where the model answers.

    Args:
        video: the content part that stands for the clip: `VIDEO_PART` for a Transformers
            processor, a "video_url" part for a vLLM server; None to ask in text alone.
    """
    return _system_and_user(prompts, video, user_text(question, prompts))


def messages_asking(
    instruction: str, prompts: PromptSet, video: Mapping[str, Any]
) -> list[Message]:
    """Like `messages`, with an instruction in free words in place of a benchmark question."""
    return _system_and_user(prompts, video, _after_common(prompts, instruction))


def with_answer(conversation: Sequence[Message], answer: str) -> list[Message]:
    """The conversation with the answer as the assistant's turn: a training example.

    The answer is stripped, because leading white space could merge with the generation prompt into
    one token, and the model would be trained on a prefix that it is never asked to continue.
    """
    answer = answer.strip()
    assert answer, "training targets are checked when they are built"
    return [*conversation, {"role": "assistant", "content": [_text_part(answer)]}]


def _after_common(prompts: PromptSet, instruction: str) -> str:
    return f"{prompts.common}\n\n{instruction}"


def _system_and_user(
    prompts: PromptSet, video: Mapping[str, Any] | None, text: str
) -> list[Message]:
    seen = [] if video is None else [dict(video)]
    return [
        {"role": "system", "content": [_text_part(prompts.system)]},
        {"role": "user", "content": [*seen, _text_part(text)]},
    ]


def _option_line(option: Option, strip_class_code: bool) -> str:
    line = f"{option.letter}. {option.label}"
    if option.class_code is None or strip_class_code:
        return line
    return f"{line} - {option.class_code}"


def _text_part(text: str) -> dict[str, str]:
    return {"type": "text", "text": text}
