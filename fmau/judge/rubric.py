"""Read and check rubrics: the instructions for a judge, as a data file.

system: ...        # placeholders {task}, {levels}, {keys}; constant for all cases of a level
tasks:
  MADU:
    about: ...     # fills {task}
    levels: {1: ..., 2: ..., 3: ...}     # texts, or {file: PATH}, relative to the rubric's folder
  MARE: ...
own:               # optional: open tasks of your own question files, by name
  Gaze: {about: ..., levels: {1: ..., 2: ..., 3: ...}}
case: ...          # placeholders {question}, {reference}, {candidate}
"""

from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError

from fmau.core.errors import RecipeError, problems_of
from fmau.core.files import read_bytes, read_yaml
from fmau.core.records import LEVELS, Record
from fmau.core.shipped import find
from fmau.core.taxonomy import OPEN_TASKS, AnyTask, Task
from fmau.core.templates import fill, placeholders
from fmau.core.texts import text_fault, texts_in, with_newlines

_SYSTEM_PLACEHOLDERS = {"task", "levels", "keys"}
_CASE_PLACEHOLDERS = {"question", "reference", "candidate"}


class _TaskRubric(Record):
    about: str
    levels: dict[int, str]


_ANY_TASK = _TaskRubric(
    about="The task: answer the question about the clip.",
    levels={
        1: "L1, the main point: what the reference answers in essence.",
        2: "L2, details: what the reference says beyond that: parts, directions, numbers.",
        3: "L3, order and reasons: what the reference says about time, causes and evidence; if it "
        "says nothing of the kind, nothing in the candidate contradicts the reference.",
    },
)
"""For open tasks of one's own that a rubric does not name."""


class Rubric(Record):
    """A checked rubric.

    Attributes:
        system: template of the system prompt.
        tasks: for each open task, a text about the task and a text per level.
        own: the same for open tasks of one's own, by name.
        case: template of the user prompt.
    """

    system: str
    tasks: dict[Task, _TaskRubric]
    own: dict[str, _TaskRubric] = Field(default_factory=dict)
    case: str

    def instructions(self, task: AnyTask, levels: tuple[int, ...]) -> str:
        """The system prompt, the same for all answers of this task judged at these levels."""
        rubric = self._of(task)
        keys = ", ".join(["rationale", *(f"L{level}" for level in levels)])
        texts = "\n\n".join(rubric.levels[level].strip() for level in levels)
        return fill(self.system, task=rubric.about.strip(), levels=texts, keys=keys).strip()

    def _of(self, task: AnyTask) -> _TaskRubric:
        if isinstance(task, Task):
            return self.tasks[task]
        return self.own.get(task.name, _ANY_TASK)


def load_rubric(name_or_path: str) -> Rubric:
    """Read and check a rubric.

    Args:
        name_or_path: name of a rubric that comes with fmau, or path of a YAML file.

    Raises:
        RecipeError: no such rubric; malformed YAML; a missing or unknown task, level or
            placeholder; an empty text.
    """
    path = find("rubric", name_or_path)
    try:
        rubric = Rubric.model_validate(_with_files(read_yaml(path), path))
    except ValidationError as error:
        lines = [f"  {problem}" for problem in problems_of(error, Rubric)]
        raise RecipeError("\n".join([f"{path}: not a rubric:", *lines])) from None
    if problems := _problems(rubric):
        lines = [f"  {problem}" for problem in problems]
        raise RecipeError("\n".join([f"{path}: not a usable rubric:", *lines]))
    return rubric


def _read(rubric: Path, name: str) -> str:
    path = rubric.parent / name
    try:
        return with_newlines(read_bytes(path).decode("utf-8"))
    except (OSError, ValueError) as error:  # no such file, not UTF-8, or not a valid file name
        raise RecipeError(f"{rubric}: {path}: cannot be read: {error}") from None


def _with_files(tree: Any, rubric: Path) -> Any:
    """The tree with every {file: PATH} replaced by that file's text."""
    if not isinstance(tree, dict):
        return tree
    if set(tree) == {"file"}:
        return _read(rubric, str(tree["file"]))
    return {key: _with_files(value, rubric) for key, value in tree.items()}


def _problems(rubric: Rubric) -> list[str]:
    lines = [
        *_template_problems("system", rubric.system, _SYSTEM_PLACEHOLDERS),
        *_template_problems("case", rubric.case, _CASE_PLACEHOLDERS),
    ]
    for task in Task:
        if (task in rubric.tasks) != (task in OPEN_TASKS):
            what = "missing; write its rubric" if task in OPEN_TASKS else "is not judged; remove it"
            lines.append(f"tasks.{task}: {what}")
    lines += [f"own.{name}: is a task of MA-Bench" for name in rubric.own if name in list(Task)]
    named = {f"tasks.{task}": levels for task, levels in rubric.tasks.items()}
    named |= {f"own.{task}": levels for task, levels in rubric.own.items()}
    for name, levels in named.items():
        if set(levels.levels) != set(LEVELS):
            lines.append(f"{name}.levels: must be exactly 1, 2 and 3")
        empty = [level for level, text in levels.levels.items() if not text.strip()]
        lines += [f"{name}.levels.{level}: empty; write the text" for level in empty]
    faults = {fault for text in texts_in(rubric.model_dump()) if (fault := text_fault(text))}
    lines += [f"{what}; {remedy}" for what, remedy in sorted(faults)]
    return lines


def _template_problems(name: str, template: str, needed: set[str]) -> list[str]:
    try:
        found = placeholders(template)
    except ValueError as error:
        return [f"{name}: {error}; write literal braces as {{{{ and }}}}"]
    if sorted(found) == sorted(needed):
        return []
    named = ", ".join(f"{{{field}}}" for field in found) or "none"
    wanted = ", ".join(f"{{{field}}}" for field in sorted(needed))
    return [f"{name}: placeholders found: {named}; write each of {wanted} exactly once"]
