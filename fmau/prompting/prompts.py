"""Prompt sets: the words around a question, as data files with declared placeholders.

A set is one YAML file:

    system: ...          # constant for all tasks
    common: ...          # constant text after the video, before the task's instruction
    tasks:
      CMAR: |            # one entry per task
        ... {question} ...

`system` and `common` must be the same for all twelve questions of a clip: the server keeps the work
done for a shared prefix, and that prefix ends where the first differing token begins. `common`
comes after the video and should be at least one KV block long (16 tokens on GPU, 32 on CPU), so
that the block holding the video's tail never holds question text.
"""

import string
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from fmau.core.errors import RecipeError
from fmau.core.parsing import parse_yaml
from fmau.core.records import Record
from fmau.core.taxonomy import Task

PROMPTS_FOLDER = Path("prompts")
QUESTION = "question"
"""The one placeholder: where the question (with its option lines) goes."""


class PromptSet(Record):
    """A checked prompt set.

    Attributes:
        system: system prompt, constant.
        common: first text after the video, constant.
        tasks: task -> template with exactly one `{question}`.
    """

    system: str
    common: str
    tasks: dict[Task, str]

    def fill(self, task: Task, question: str) -> str:
        """The task's template with `question` in place of its placeholder."""
        return self.tasks[task].format(**{QUESTION: question})


def load_prompts(name_or_path: str, folder: Path = PROMPTS_FOLDER) -> PromptSet:
    """Read and check a prompt set by name (`folder`/NAME.yaml) or by path (ends in .yaml).

    Raises:
        RecipeError: missing file, malformed YAML, missing task, empty text, a template without
            `{question}` or with an unknown placeholder.
    """
    is_path = name_or_path.endswith((".yaml", ".yml"))
    path = Path(name_or_path) if is_path else folder / f"{name_or_path}.yaml"
    try:
        tree = parse_yaml(path.read_text("utf-8"))
    except FileNotFoundError:
        known = ", ".join(sorted(p.stem for p in folder.glob("*.yaml"))) or "none"
        raise RecipeError(f"{path}: no such prompt set; in {folder}/ there are: {known}") from None
    except (OSError, ValueError) as error:
        raise RecipeError(f"{path}: cannot be read as YAML: {error}") from None
    try:
        prompts = PromptSet.model_validate(_stripped(tree))
    except ValidationError as error:
        lines = [f"  {'.'.join(map(str, e['loc'])) or 'file'}: {e['msg']}" for e in error.errors()]
        raise RecipeError("\n".join([f"{path}: not a prompt set:", *lines])) from None
    problems = _problems(prompts)
    if problems:
        raise RecipeError("\n".join([f"{path}: not a usable prompt set:", *problems]))
    return prompts


def _stripped(tree: Any) -> Any:
    """Trailing newlines of YAML block texts are layout, not prompt."""
    if isinstance(tree, dict):
        return {key: _stripped(value) for key, value in tree.items()}
    return tree.strip() if isinstance(tree, str) else tree


def _problems(prompts: PromptSet) -> list[str]:
    lines = [
        f"  {name}: empty; write the text"
        for name, text in (("system", prompts.system), ("common", prompts.common))
        if not text
    ]
    for task in Task:
        if task not in prompts.tasks:
            lines.append(f"  tasks.{task}: missing; every task needs a template")
            continue
        try:
            found = [field for _, field, _, _ in string.Formatter().parse(prompts.tasks[task])]
        except ValueError as error:
            lines.append(f"  tasks.{task}: {error}; write literal braces as {{{{ and }}}}")
            continue
        placeholders = [field for field in found if field is not None]
        if placeholders != [QUESTION]:
            named = ", ".join(f"{{{field}}}" for field in placeholders) or "none"
            lines.append(
                f"  tasks.{task}: placeholders found: {named}; exactly one {{question}} is needed"
            )
    return lines
