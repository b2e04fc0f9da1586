"""Build the conversation (messages) from question, clip and prompts; only this module does it.

Training and answering both use it, so a model is asked with exactly the words that it was trained
on. The order of the parts is chosen for the server's prefix cache:

    system    PromptSet.system                constant
    user      the video                       one clip
              PromptSet.common                constant
              task template + question        differs per question

So the questions about one clip share everything up to the end of `common`. The user turn has two
parts, video and text. All text is one part, because chat templates differ in how they join several.

Control tokens in a question are broken up, so that they are read as letters (`fmau.core.texts`).
"""

from collections.abc import Mapping
from typing import Any

from fmau.core.records import Option, Question
from fmau.core.texts import as_letters
from fmau.prompting.prompts import PromptSet

Message = dict[str, Any]
"""One turn, {"role": ..., "content": [part, ...]}, for chat templates and the OpenAI API."""

VIDEO_PART = {"type": "video"}
"""The content part for the clip in a chat template of Transformers."""


def question_text(question: Question, *, strip_class_codes: bool) -> str:
    """The stem, then one line per option: "A. Head".

    Args:
        strip_class_codes: leave out codes such as " - A1", which reveal the right option in part
            of MA-Bench. False gives the question as in its file.
    """
    options = [_option_line(option, strip_class_codes) for option in question.options]
    return "\n".join([question.stem, *options])


def user_text(question: Question, prompts: PromptSet) -> str:
    """All text after the video: the common text, then the task's template with the question."""
    text = question_text(question, strip_class_codes=prompts.strip_class_codes)
    return _after_common(prompts, prompts.fill(question.task, text))


def messages(
    question: Question, prompts: PromptSet, video: Mapping[str, Any] | None
) -> list[Message]:
    """The conversation up to the point where the model answers.

    Args:
        video: the content part for the clip: `VIDEO_PART` for a Transformers processor, a
            "video_url" part for a vLLM server, None to ask without a clip.
    """
    return _system_and_user(prompts, video, user_text(question, prompts))


def messages_shared(prompts: PromptSet, video: Mapping[str, Any]) -> list[Message]:
    """The beginning that all conversations about a clip share: up to the end of the common text."""
    return _system_and_user(prompts, video, prompts.common)


def messages_asking(
    instruction: str, prompts: PromptSet, video: Mapping[str, Any]
) -> list[Message]:
    """Like `messages`, but with an instruction in free words instead of a benchmark question."""
    return _system_and_user(prompts, video, _after_common(prompts, instruction))


def _after_common(prompts: PromptSet, instruction: str) -> str:
    return f"{prompts.common}\n\n{as_letters(instruction)}"


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
