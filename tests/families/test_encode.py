import io
import re

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from fmau.core.records import Question
from fmau.core.taxonomy import Task
from fmau.prompting.conversation import VIDEO_PART, Message, messages
from tests.clips import drawn_frames
from tests.processors import PROMPTS, small_encoder, small_processor

PATCH = 16
FRAMES = drawn_frames(range(0, 40, 5), height=96, width=128, max_pixels_per_frame=16384)


def conversation(task: Task = Task.SAD, stem: str = "Does the head move?") -> list[Message]:
    question = Question(f"{task}_1", "c", task, stem)
    return messages(question, PROMPTS, VIDEO_PART)


def token_ids(turns: list[Message]) -> list[int]:
    inputs = small_encoder().encode(turns, FRAMES)
    ids: list[int] = inputs["input_ids"][0].tolist()
    return ids


def test_no_frame_is_resized_or_left_out() -> None:
    frames = FRAMES
    inputs = small_encoder().encode(conversation(), frames)
    rows, columns = frames.height // PATCH, frames.width // PATCH
    assert inputs["video_grid_thw"].tolist() == [[4, rows, columns]]
    video_token = small_processor().video_token_id
    assert (inputs["input_ids"] == video_token).sum() == 4 * rows * columns // 4


def test_the_pixels_are_those_of_the_jpegs() -> None:
    """Against the patches cut by hand, as the model's own layout has them."""
    frames = FRAMES
    inputs = small_encoder().encode(conversation(), frames)
    images = [np.asarray(Image.open(io.BytesIO(jpeg))) for jpeg in frames.jpegs]
    scaled_THWC = np.stack(images).astype(np.float32) / 127.5 - 1
    patches = []
    for pair in range(0, 8, 2):
        for block_row in range(0, frames.height, 2 * PATCH):
            for block_column in range(0, frames.width, 2 * PATCH):
                for row in (block_row, block_row + PATCH):
                    for column in (block_column, block_column + PATCH):
                        cut_THWC = scaled_THWC[
                            pair : pair + 2, row : row + PATCH, column : column + PATCH
                        ]
                        patches.append(cut_THWC.transpose(3, 0, 1, 2).ravel())
    np.testing.assert_allclose(inputs["pixel_values_videos"].numpy(), np.stack(patches), atol=1e-6)


@settings(max_examples=25, deadline=None)
@given(st.text(min_size=1, max_size=40).filter(str.strip))
def test_an_answer_is_learned_as_the_template_writes_it(answer: str) -> None:
    """Against the whole conversation as the template writes it, up to the end of the turn."""
    encoder, turns = small_encoder(), conversation()
    said = {"role": "assistant", "content": [{"type": "text", "text": answer.strip()}]}
    whole = encoder.processor.apply_chat_template([*turns, said], tokenize=False)
    prompt, end = encoder.prompt(turns), encoder.family.end_of_turn
    assert whole.startswith(prompt)
    expected = whole.removeprefix(prompt).rpartition(end)[0] + end
    assert encoder.tokens(expected) == encoder.answer(answer)


def test_the_questions_of_a_clip_share_all_tokens_up_to_the_common_text() -> None:
    prompts = [token_ids(conversation(task, f"Question about {task}?")) for task in Task]
    shared = next(
        place for place, ids in enumerate(zip(*prompts, strict=False)) if len(set(ids)) > 1
    )
    text = small_processor().tokenizer.decode(prompts[0][:shared])
    assert PROMPTS.common in text


def test_times_are_those_of_the_clip_and_not_the_processors_guess() -> None:
    """Frames 0, 5, 10, ... at 30 per second, in pairs; the processor would guess 24 per second."""
    text = small_processor().tokenizer.decode(token_ids(conversation()))
    assert re.findall(r"<(.{3}) seconds>", text) == ["0.1", "0.4", "0.8", "1.1"]
