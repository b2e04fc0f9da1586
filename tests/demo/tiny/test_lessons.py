"""Lessons turned about: mirrored, and with the right option first."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from fmau.demo.mini.plan import BODY_PARTS
from fmau.demo.tiny.lessons import OPTION_LINE, Lesson, LessonClip
from fmau.prompting.conversation import VIDEO_PART, messages_asking
from tests.clips import drawn_frames
from tests.processors import PROMPTS


def lesson(question: str, answer: str, kind: str = "SAD") -> Lesson:
    return Lesson(kind, messages_asking(question, PROMPTS, VIDEO_PART), answer)


def clip(*lessons: Lesson) -> LessonClip:
    positions = np.random.default_rng(0).normal(size=(4, 42)).astype(np.float32)
    return LessonClip(drawn_frames(), positions, action=3, lessons=lessons)


def test_a_mirror_exchanges_left_and_right_in_pixels_positions_and_words() -> None:
    one = clip(lesson("Does the left hand move rightward?", "Its Right hand moves."))
    other = one.mirrored()
    np.testing.assert_array_equal(other.pixels_THWC(), one.pixels_THWC()[:, :, ::-1])
    here = one.positions.reshape(4, 14, 3)
    there = other.positions.reshape(4, 14, 3)
    left, right = BODY_PARTS.index("left hand"), BODY_PARTS.index("right hand")
    np.testing.assert_array_equal(there[:, left], here[:, right] * [-1, 1, 1])
    head = BODY_PARTS.index("head")
    np.testing.assert_array_equal(there[:, head], here[:, head] * [-1, 1, 1])
    assert other.lessons[0].text.endswith("Does the right hand move leftward?")
    assert other.lessons[0].answer == "Its Left hand moves."
    # What stands before every question is not about the clip.
    assert PROMPTS.common in other.lessons[0].text
    assert "left" in PROMPTS.common.lower()


def test_a_mirrored_mirror_image_is_the_clip() -> None:
    one = clip(lesson("Does the left hand rise?", "No"), lesson("Which?\nA. Head\nB. Body", "B"))
    again = one.mirrored().mirrored()
    assert again.lessons == one.lessons
    np.testing.assert_array_equal(again.positions, one.positions)
    np.testing.assert_array_equal(again.pixels_THWC(), one.pixels_THWC())


@given(st.permutations(["Head", "Body", "Leg-hand", "Upper limb"]), st.sampled_from("ABCD"))
def test_the_right_option_comes_first_and_no_other_is_lost(labels: list[str], answer: str) -> None:
    lines = "\n".join(f"{letter}. {label}" for letter, label in zip("ABCD", labels, strict=True))
    asked = lesson(f"Which part acts?\n{lines}\nAnswer with one letter.", answer, "CMAR")
    turned = asked.right_first()
    before, after = (dict(OPTION_LINE.findall(one.text)) for one in (asked, turned))
    assert turned.answer == "A"
    assert after["A"] == before[answer]
    assert sorted(after.values()) == sorted(labels)
    assert turned.text.endswith("\nAnswer with one letter.")


def test_a_lesson_without_options_stays() -> None:
    asked = lesson("Does the head move?", "Yes")
    assert asked.right_first() is asked
