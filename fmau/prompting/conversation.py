"""Build the conversation (messages) from question, clip and prompts; only this module does it.

Training and answering both use it, so a model is asked with exactly the words that it was trained
on. The order of the parts is chosen for the server's prefix cache:

    system    PromptSet.system                constant (unless the set has `systems`)
    user      the video                       one clip
              PromptSet.common                constant
              task template + question        differs per question

So the questions about one clip share everything up to the end of `common`. The user turn has two
parts, video and text; with images, one for each and the text. All text is one part, because chat
templates differ in how they join several.

Control tokens in a question are broken up, so that they are read as letters (`fmau.core.texts`).
"""

from collections.abc import Mapping, Sequence
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


Clip = Mapping[str, Any] | Sequence[Mapping[str, Any]] | None
"""A clip in a user turn: one content part with the video, several with images, or None without."""


def messages(question: Question, prompts: PromptSet, video: Clip) -> list[Message]:
    """The conversation up to the point where the model answers.

    Args:
        video: the content part for the clip: `VIDEO_PART` for a Transformers processor, a
            "video_url" part for a vLLM server, "image_url" parts for any server, None to ask
            without a clip.
    """
    system = prompts.system_of(question.task)
    return _system_and_user(system, video, user_text(question, prompts))


def messages_shared(prompts: PromptSet, video: Clip) -> list[Message]:
    """The beginning that all conversations about a clip share: up to the end of the common text."""
    return _system_and_user(prompts.system, video, prompts.common)


def messages_asking(instruction: str, prompts: PromptSet, video: Clip) -> list[Message]:
    """Like `messages`, but with an instruction in free words instead of a benchmark question."""
    return _system_and_user(prompts.system, video, _after_common(prompts, instruction))


def _after_common(prompts: PromptSet, instruction: str) -> str:
    before = f"{prompts.common}\n\n" if prompts.common else ""
    return before + as_letters(instruction)


def _system_and_user(system: str, video: Clip, text: str) -> list[Message]:
    parts = [video] if isinstance(video, Mapping) else video or ()
    seen = [dict(part) for part in parts]
    return [
        {"role": "system", "content": [_text_part(system)]},
        {"role": "user", "content": [*seen, _text_part(text)]},
    ]


def _option_line(option: Option, strip_class_code: bool) -> str:
    line = f"{option.letter}. {option.label}"
    if option.class_code is None or strip_class_code:
        return line
    return f"{line} - {option.class_code}"


def _text_part(text: str) -> dict[str, str]:
    return {"type": "text", "text": text}
