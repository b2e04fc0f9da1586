"""Clip-major order that does not depend on the file's."""

from hypothesis import given
from hypothesis import strategies as st

from fmau.answer.order import by_clip
from fmau.core.records import Question
from fmau.core.taxonomy import Task

QUESTIONS = [
    Question(f"{task}_{clip}_{number}", f"clip{clip}", task, "?")
    for clip in range(3)
    for task in Task
    for number in range(task.per_clip)
]


@given(st.permutations(QUESTIONS))
def test_the_order_depends_on_the_questions_alone(shuffled: list[Question]) -> None:
    groups = by_clip(shuffled)
    assert [group.clip for group in groups] == ["clip0", "clip1", "clip2"]
    assert [q for group in groups for q in group.questions] == QUESTIONS


def test_a_closed_question_leads_every_clip() -> None:
    assert all(not group.questions[0].task.is_open for group in by_clip(reversed(QUESTIONS)))
    assert by_clip([]) == []
