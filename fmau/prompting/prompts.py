"""Read and check prompt sets: the texts around a question, as data files with placeholders.

A set is one YAML file:

    system: ...          # constant for all tasks
    common: ...          # constant text after the video, before the task's instruction
    tasks:
      CMAR: |            # one entry per task
        ... {question} ...
    own:                 # optional: tasks of your own question files, by name
      Gaze: ...
    systems:             # optional: a system prompt of its own for some tasks, or all
      CMAR: ...

A task of one's own that the set does not name gets a short text for its kind (`BY_KIND`).

`system` and `common` are the same for all twelve questions of a clip, because the server's prefix
cache reuses a prompt only up to the first token that differs. `common` comes after the video. It
should be at least one KV block long (16 tokens on GPU, 32 on CPU). Then the block with the end of
the video contains no question text and can be reused.

`systems` gives that up: the system prompt comes before the video, so questions of two tasks share
no cached prompt. It is for prompts that are written so, such as those of the challenge's starter
kit. In such a set `system` and `common` may be empty.
"""

from typing import Any

from pydantic import Field, ValidationError

from fmau.core.errors import RecipeError, problems_of
from fmau.core.files import read_yaml
from fmau.core.records import Record
from fmau.core.shipped import find
from fmau.core.taxonomy import AnyTask, Kind, Task
from fmau.core.templates import fill, placeholders
from fmau.core.texts import text_fault
from fmau.recipe import Recipe

QUESTION = "question"
"""The only placeholder, for the question with its option lines."""


BY_KIND = {
    Kind.CHOICE: "{question}\nAnswer with the letter of the one right option.",
    Kind.YES_NO: "{question}\nAnswer Yes or No.",
    Kind.OPEN: "{question}",
}
"""Templates for tasks of one's own that a prompt set does not name."""


class PromptTexts(Record):
    """The contents of a prompt set's file.

    Attributes:
        system: system prompt, the same for all tasks.
        common: first text after the video, the same for all tasks.
        tasks: task -> template with exactly one `{question}`.
        own: name of a task of one's own -> its template.
        systems: task -> its own system prompt, in place of `system`; it may be empty.
    """

    system: str
    common: str
    tasks: dict[Task, str]
    own: dict[str, str] = Field(default_factory=dict)
    systems: dict[Task, str] = Field(default_factory=dict)


class PromptSet(PromptTexts):
    """A checked prompt set, as a recipe uses it.

    Attributes:
        strip_class_codes: leave codes such as " - A1" out of option lines, see
            `fmau.recipe.PromptBlock`.
    """

    strip_class_codes: bool = True

    @property
    def texts(self) -> PromptTexts:
        """The contents of its file."""
        return PromptTexts(**{name: getattr(self, name) for name in PromptTexts.model_fields})

    def system_of(self, task: AnyTask) -> str:
        """The system prompt that questions of a task are asked with; it may be empty."""
        return self.systems.get(task, self.system) if isinstance(task, Task) else self.system

    def fill(self, task: AnyTask, question: str) -> str:
        """The task's template with `question` in place of its placeholder."""
        return fill(self._template(task), **{QUESTION: question})

    def _template(self, task: AnyTask) -> str:
        if isinstance(task, Task):
            return self.tasks[task]
        return self.own.get(task.name, BY_KIND[task.kind])


def prompts_of(recipe: Recipe) -> PromptSet:
    """The prompt set that a recipe names.

    Raises:
        RecipeError: as for `load_prompts`, or the recipe trains with a set that has `systems`:
            training puts questions of several tasks behind one system prompt.
    """
    block = recipe.prompt
    prompts = load_prompts(block.set, strip_class_codes=block.strip_class_codes)
    if recipe.train is not None and prompts.systems:
        raise RecipeError(
            f"prompt.set {block.set}: has `systems`, a system prompt for each task, but in "
            "training all examples about a clip share one; write a set with one `system`, or take "
            "the recipe's train block out"
        )
    return prompts


def load_prompts(name_or_path: str, *, strip_class_codes: bool = True) -> PromptSet:
    """Read and check a prompt set.

    Args:
        name_or_path: name of a prompt set that comes with fmau, or path of a YAML file.
        strip_class_codes: see `PromptSet`.

    Raises:
        RecipeError: no such prompt set, malformed YAML, a missing task, an empty text, a text
            with a control token such as <|im_end|>, or a template without `{question}` or with an
            unknown placeholder.
    """
    path = find("prompt set", name_or_path)
    try:
        texts = PromptTexts.model_validate(_stripped(read_yaml(path)))
    except ValidationError as error:
        lines = [f"  {problem}" for problem in problems_of(error, PromptTexts)]
        raise RecipeError("\n".join([f"{path}: not a prompt set:", *lines])) from None
    problems = _problems(texts)
    if problems:
        raise RecipeError("\n".join([f"{path}: not a usable prompt set:", *problems]))
    return PromptSet(**dict(texts), strip_class_codes=strip_class_codes)


def _stripped(tree: Any) -> Any:
    """Strip all texts: newlines at the end of YAML blocks are layout and not part of a prompt."""
    if isinstance(tree, dict):
        return {key: _stripped(value) for key, value in tree.items()}
    return tree.strip() if isinstance(tree, str) else tree


def _problems(prompts: PromptTexts) -> list[str]:
    lines = [
        f"  {name}: empty; write the text"
        for name, text in (("system", prompts.system), ("common", prompts.common))
        if not text and not prompts.systems
    ]
    texts = {"system": prompts.system, "common": prompts.common}
    texts |= {f"systems.{task}": text for task, text in prompts.systems.items()}
    templates = {f"tasks.{task}": text for task, text in prompts.tasks.items()}
    templates |= {f"own.{name}": text for name, text in prompts.own.items()}
    for name, text in (texts | templates).items():
        if fault := text_fault(text):
            lines.append(f"  {name}: {fault[0]}; {fault[1]}")
    lines += [
        f"  tasks.{task}: missing; every task needs a template"
        for task in Task
        if task not in prompts.tasks
    ]
    lines += [
        f"  own.{name}: is a task of MA-Bench; write it under tasks"
        for name in prompts.own
        if name in list(Task)
    ]
    for name, template in templates.items():
        if (wrong := _template_fault(template)) is not None:
            lines.append(f"  {name}: {wrong}")
    return lines


def _template_fault(template: str) -> str | None:
    try:
        found = placeholders(template)
    except ValueError as error:
        return f"{error}; write literal braces as {{{{ and }}}}"
    if found == [QUESTION]:
        return None
    named = ", ".join(f"{{{name}}}" for name in found) or "none"
    return f"placeholders found: {named}; exactly one {{question}} is needed"
