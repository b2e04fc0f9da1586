"""The taxonomy against the counts that the benchmark's authors publish."""

from fmau.core.taxonomy import (
    CLOSED_TASKS,
    OPEN_TASKS,
    Task,
    action_by_code,
    action_by_label,
    actions,
    parts,
)


def test_seven_parts_and_fifty_two_actions() -> None:
    assert [part.code for part in parts()] == list("ABCDEFG")
    assert [len(part.actions) for part in parts()] == [5, 6, 13, 8, 6, 10, 4]
    assert len(actions()) == len(action_by_code()) == len(action_by_label()) == 52


def test_codes_are_numbered_within_their_part() -> None:
    for part in parts():
        expected = [f"{part.code}{number}" for number in range(1, len(part.actions) + 1)]
        assert [action.code for action in part.actions] == expected
        assert {action.part for action in part.actions} == {part.label}


def test_twelve_questions_a_clip_six_closed_tasks_two_open() -> None:
    assert sum(task.per_clip for task in Task) == 12
    assert [task.value for task in CLOSED_TASKS] == ["CMAR", "FMAR", "SAD", "MAD", "MAS", "PPR"]
    assert [task.value for task in OPEN_TASKS] == ["MADU", "MARE"]
    assert (Task.CMAR.option_count, Task.FMAR.option_count, Task.SAD.option_count) == (7, 5, 0)
