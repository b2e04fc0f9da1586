"""Requests about a clip as a video and as images, and closed questions without a constraint."""

from pathlib import Path

import pytest

from fmau.answer.request import ClipParts, build_request, read_reply
from fmau.core.records import AnswerStatus
from fmau.core.taxonomy import Task
from fmau.frames.tokens import image_tokens
from fmau.serve.client import Reply
from tests.answer.small_run import PROMPTS, question, recipe
from tests.clips import drawn_frames

FRAMES = drawn_frames([0, 1, 2, 2])
ASKED = question("clip", Task.CMAR, 0)


def test_images_need_no_field_of_the_request_and_a_video_does(tmp_path: Path) -> None:
    spec = recipe(tmp_path).frames
    as_images = ClipParts.of(FRAMES, spec, as_images=True)
    small = recipe(tmp_path, frames_as="images")
    sent, referred = (
        build_request(ASKED, small, PROMPTS, as_images, by_reference=by) for by in (False, True)
    )
    for request in (sent, referred):
        assert "media_io_kwargs" not in request.fields
        *images, text = request.messages[1]["content"]
        assert [part["type"] for part in (*images, text)] == ["image_url"] * 3 + ["text"]
    assert all(part["image_url"] is None for part in referred.messages[1]["content"][:-1])
    assert as_images.visual_tokens == image_tokens(spec, 3, 64, 64) == 3 * 2 * 2
    video = ClipParts.of(FRAMES, spec)
    request = build_request(ASKED, recipe(tmp_path), PROMPTS, video, by_reference=False)
    assert request.fields["media_io_kwargs"]["video"]["frames_indices"] == [0, 1, 2, 2]
    assert [part["type"] for part in request.messages[1]["content"]] == ["video_url", "text"]
    assert video.uuid == as_images.uuid
    assert request.session == sent.session


@pytest.mark.parametrize("constrain", [True, False])
def test_a_closed_question_is_constrained_unless_the_recipe_lets_it_be(
    tmp_path: Path, constrain: bool
) -> None:
    small = recipe(tmp_path, constrain=constrain, max_tokens_open=77)
    request = build_request(ASKED, small, PROMPTS, None, by_reference=False)
    assert ("structured_outputs" in request.fields) is constrain
    assert request.max_tokens == (1 if constrain else 77)


def test_thinking_and_a_free_answer_share_their_limit_and_know_no_constraint(
    tmp_path: Path,
) -> None:
    small = recipe(tmp_path, constrain=False, thinking_tokens=1536, max_tokens_open=512)
    request = build_request(ASKED, small, PROMPTS, None, by_reference=False)
    assert request.max_tokens == 2048
    assert request.fields["chat_template_kwargs"] == {"enable_thinking": True}
    assert "structured_outputs" not in request.fields
    reply = Reply("The answer is B.", "stop", 1, 0, 9, thinking="It may be A.")
    assert read_reply(ASKED, reply, constrained=False).answer == "B"
    lost = Reply("", "length", 1, 0, 9, thinking="The answer is A.")
    assert read_reply(ASKED, lost, constrained=False).status is AnswerStatus.TRUNCATED


@pytest.mark.parametrize(
    ("text", "finish", "status", "answer"),
    [
        ("The answer is B.", "stop", AnswerStatus.OK, "B"),
        ("B", "stop", AnswerStatus.OK, "B"),
        ("It may be A.</think>\n\nB", "stop", AnswerStatus.OK, "B"),
        ("Let me think. The answer is A. No,", "length", AnswerStatus.TRUNCATED, None),
        ("<think>The answer is A.", "stop", AnswerStatus.TRUNCATED, None),
        ("A person sits.", "stop", AnswerStatus.UNPARSED, None),
        ("", "stop", AnswerStatus.UNPARSED, None),
    ],
)
def test_a_free_reply_is_read_as_a_text(
    text: str, finish: str, status: AnswerStatus, answer: str | None
) -> None:
    found = read_reply(ASKED, Reply(text, finish, 1, 0, 1), constrained=False)
    assert (found.status, found.answer) == (status, answer)
