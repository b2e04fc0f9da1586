"""How many problems are shown to people."""

from fmau.core.errors import InputError, Problem


def problems(*places: str, what: str = "is not answered") -> list[Problem]:
    return [Problem(place, what, "answer it") for place in places]


def test_problems_that_differ_are_listed_one_by_one() -> None:
    error = InputError(
        problem for place in range(250) for problem in problems("q", what=f"is {place}")
    )
    lines = str(error).splitlines()
    assert lines[0] == "250 problems found:"
    assert lines[1:3] == ["  q: is 0; answer it", "  q: is 1; answer it"]
    assert lines[201:] == ["  ... and 50 more"]
    assert len(error.problems) == 250


def test_equal_problems_are_shown_in_one_line() -> None:
    many = problems(*(f"q{number}" for number in range(12000)))
    odd = problems("x", "y", what="is empty")
    error = InputError([many[0], odd[0], *many[1:], odd[1]])
    assert str(error).splitlines() == [
        "12,002 problems found:",
        "  q0, q1, q2, q3, q4 and 11,995 more: is not answered; answer it",
        "  x, y: is empty; answer it",
    ]
    assert len(error.problems) == 12002
    assert error.problems[1] == odd[0]


def test_rows_of_one_file_name_it_once() -> None:
    rows = problems("a/q.json row 3 (Q3)", "a/q.json row 9", "b.json row 1", what="is empty")
    assert str(InputError(rows)).splitlines()[1:] == [
        "  a/q.json row 3 (Q3), row 9, b.json row 1: is empty; answer it"
    ]


def test_problems_that_all_differ_are_still_bounded() -> None:
    groups = [problems("a", "b", what=f"reason {number}") for number in range(203)]
    lines = str(InputError([problem for group in groups for problem in group])).splitlines()
    assert len(lines) == 1 + InputError.MAX_SHOWN + 1
    assert lines[-1] == "  ... and 6 more"
