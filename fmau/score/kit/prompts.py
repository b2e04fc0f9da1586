"""The prompts of a starter kit as fmau's prompt sets: one system prompt a task, the question alone.

The kit looks a system prompt up by the task's name in the question file, and sends an empty one if
its dict lacks the name. Its published dict has earlier names of three tasks (AS, VCC-LS, LRC-LS),
while its question files have the present ones (MAS, MADU, MARE): what is written there is never
sent. So there are two readings of one dict, and `both_readings` gives both.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fmau.core.errors import InputError, Problem, cut
from fmau.core.taxonomy import TASK_ALIASES, Task
from fmau.core.texts import text_fault, whole
from fmau.prompting.prompts import QUESTION, PromptTexts

Spelling = Mapping[Task, str]
"""Task -> its name in a question file."""

PRESENT: Spelling = {task: task.value for task in Task}


@dataclass(frozen=True, slots=True)
class KitPrompts:
    """The prompts of a kit.

    Attributes:
        texts: name of a task, as the kit writes it -> system prompt, stripped.
        source: the file that they come from.
    """

    texts: Mapping[str, str]
    source: Path

    def as_meant(self) -> PromptTexts:
        """The set in which a text under an earlier name of a task is that task's prompt."""
        return _texts({task: next(self._found(task), "") for task in Task})

    def as_sent(self, spelled: Spelling) -> PromptTexts:
        """The set of the prompts that the kit sends to the questions of a file."""
        return _texts({task: self.texts.get(spelled.get(task, task), "") for task in Task})

    def left_out(self) -> tuple[str, ...]:
        """For people: the names that are no task's, or whose task has another text already."""
        known = {task.value: task for task in Task} | TASK_ALIASES
        lines = []
        for name in self.texts:
            task = known.get(name)
            if task is None:
                lines.append(f"{self.source} {name!r}: no task has this name")
            elif name != task and task in self.texts:
                lines.append(f"{self.source} {name}: the text under {task} is taken")
        return tuple(lines)

    def _found(self, task: Task) -> Iterator[str]:
        """The texts for a task, that under its present name first."""
        for name in (task.value, *(old for old, new in TASK_ALIASES.items() if new is task)):
            if name in self.texts:
                yield self.texts[name]


def prompts_in(path: Path, tree: Any) -> KitPrompts | None:
    """The prompts that a prediction file gives beside its answers; None if it is a list of answers.

    Raises:
        InputError: "prompts" is not a list of objects with a task and a text, a task is named
            twice, or a text holds a control token; each is named.
    """
    entries = tree.get("prompts") if isinstance(tree, dict) else None
    if entries is None:
        return None
    remedy = 'write [{"task": ..., "system_prompt": ...}, ...]'
    if not isinstance(entries, list):
        raise InputError([Problem(f"{path} prompts", "is not a list", remedy)])
    texts: dict[str, str] = {}
    problems = []
    for number, entry in enumerate(entries, start=1):
        where = f"{path} prompt {number}"
        task, text = (
            (entry.get(key) for key in ("task", "system_prompt"))
            if (isinstance(entry, dict))
            else (None, None)
        )
        if not isinstance(task, str) or not isinstance(text, str):
            problems.append(Problem(where, f"is {cut(repr(entry))}", remedy))
            continue
        where = f"{where} ({whole(task)})"
        if task in texts:
            problems.append(Problem(where, "the task is named twice", "keep one of them"))
        if fault := text_fault(task) or text_fault(text):
            problems.append(Problem(where, *fault))
        texts[task] = text.strip()
    if problems:
        raise InputError(problems)
    return KitPrompts(texts, path)


def _texts(systems: dict[Task, str]) -> PromptTexts:
    templates = dict.fromkeys(Task, f"{{{QUESTION}}}")
    return PromptTexts(system="", common="", tasks=templates, systems=systems)
