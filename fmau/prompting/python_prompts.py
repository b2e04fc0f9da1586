'''Reads prompts from a Python file as data; the file is parsed and never executed.

The challenge's starter kit keeps its prompts in such a file: texts under names, and a dict from a
task's name to its text.

    HEAD = """Which part moves?
    Answer with one letter."""
    SYSTEM_PROMPTS = {"CMAR": HEAD, "SAD": "Answer Yes " "or No."}

What can be read: texts (in any quotes, joined by standing side by side or by +, with .strip()),
names given above, dicts of them, and `NAMES["key"] = text`. Imports and functions are passed over,
because no text depends on them. Every other statement could change a text when it is run, so it is
refused with its line.
'''

import ast
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from fmau.core.errors import InputError, Problem
from fmau.core.files import read_text
from fmau.core.texts import text_fault, whole

DICT_NAME = "SYSTEM_PROMPTS"
"""The dict that the starter kit uses; another name will do if there is one dict alone."""

_STRIPS = {"strip": str.strip, "lstrip": str.lstrip, "rstrip": str.rstrip}
_REMEDY = "write the text itself, in quotes"
_RUN = " that would have to be run"
_KINDS: dict[type[ast.expr], str] = {ast.JoinedStr: "an f-string", ast.Call: "a call"}
_PASSED = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.AsyncFunctionDef, ast.Pass)


@dataclass(frozen=True, slots=True)
class Text:
    """A text of a Python file.

    Attributes:
        text: the text.
        line: number of the line where it is given, counted from 1.
    """

    text: str
    line: int


Value = Text | dict[str, Text] | None
"""A text, a dict of texts, or something else (a number, a list), which is no prompt."""


class _UnreadableError(Exception):
    """A part of the file that would have to be run. The arguments are its line and what it is."""


def read_python_prompts(path: Path) -> dict[str, Text]:
    """Read the prompts of a Python file: key -> text, in the order of the file.

    They are the dict `SYSTEM_PROMPTS`, or the only dict of texts, or, if there is no dict, all
    texts under their names, with "-" in place of "_" (`VCC_LS` is the task VCC-LS).

    Raises:
        InputError: the file is missing or is not Python; it holds an f-string, a call or another
            thing that would have to be run; it has several dicts, or no texts; a text holds a
            control token. Each is named with its line.
    """
    values: dict[str, Value] = {}
    problems = []
    for statement in _statements(path):
        try:
            _read(statement, values)
        except _UnreadableError as error:
            line, what = error.args
            problems.append(Problem(f"{path} line {line}", what, _REMEDY))
        except RecursionError:
            what = "is nested too deeply"
            problems.append(Problem(f"{path} line {statement.lineno}", what, _REMEDY))
    if problems:
        raise InputError(problems)
    prompts = _chosen(path, values)
    problems = [
        Problem(f"{path} line {found.line} ({whole(key)})", *fault)
        for key, found in prompts.items()
        if (fault := text_fault(key) or text_fault(found.text))
    ]
    if problems:
        raise InputError(problems)
    return prompts


def _statements(path: Path) -> list[ast.stmt]:
    text = read_text(path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter(
                "ignore"
            )  # of escapes such as "\d", which Python reads as written
            return ast.parse(text).body
    except SyntaxError as error:
        where = f"{path} line {error.lineno}" if error.lineno else str(path)
        remedy = "correct it, so that Python can read the file"
        raise InputError([Problem(where, f"not Python ({error.msg})", remedy)]) from None
    except (ValueError, RecursionError, MemoryError):
        what = "not Python, or nested too deeply"
        raise InputError([Problem(str(path), what, "give the kit's prompts.py")]) from None


def _read(statement: ast.stmt, values: dict[str, Value]) -> None:
    """Put what a statement of the file gives into `values`."""
    decorated = getattr(statement, "decorator_list", [])  # a decorator is a call
    if _is_main(statement) or (isinstance(statement, _PASSED) and not decorated):
        return
    if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
        return  # a docstring
    if isinstance(statement, ast.Assign):
        value = _value(statement.value, values)
        for target in statement.targets:
            _assign(target, value, values)
    elif isinstance(statement, ast.AnnAssign) and statement.value is not None:
        _assign(statement.target, _value(statement.value, values), values)
    else:
        raise _UnreadableError(statement.lineno, f"a statement{_RUN}")


def _assign(target: ast.expr, value: Value, values: dict[str, Value]) -> None:
    if isinstance(target, ast.Name):
        values[target.id] = value  # two names of one dict share it, as in Python
        return
    if isinstance(target, ast.Subscript) and isinstance(target.value, ast.Name):
        into, key = values.get(target.value.id), _value(target.slice, values)
        if isinstance(into, dict) and isinstance(key, Text) and isinstance(value, Text):
            into[key.text] = value
            return
    raise _UnreadableError(target.lineno, f"an assignment{_RUN}")


def _value(node: ast.expr, values: dict[str, Value]) -> Value:
    """The value of an expression.

    Raises:
        _UnreadableError: it would have to be run.
    """
    if isinstance(node, ast.Constant):
        return Text(node.value, node.lineno) if isinstance(node.value, str) else None
    if isinstance(node, ast.Name):
        if node.id not in values:
            raise _UnreadableError(node.lineno, f"the name {node.id!r} is given no text above")
        return values[node.id]
    if isinstance(node, ast.Dict):
        return dict(_entries(node, values))
    if isinstance(node, ast.List | ast.Tuple | ast.Set):
        for element in node.elts:
            _value(element, values)
        return None
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        left, right = _value(node.left, values), _value(node.right, values)
        if isinstance(left, Text) and isinstance(right, Text):
            return Text(left.text + right.text, left.line)
    if (stripped := _stripped(node, values)) is not None:
        return stripped
    raise _UnreadableError(node.lineno, _KINDS.get(type(node), "an expression") + _RUN)


def _entries(node: ast.Dict, values: dict[str, Value]) -> Iterator[tuple[str, Text]]:
    for key_node, value_node in zip(node.keys, node.values, strict=True):
        if key_node is None:  # {**OTHER}
            raise _UnreadableError(value_node.lineno, "a dict within a dict" + _RUN)
        key, value = _value(key_node, values), _value(value_node, values)
        if not isinstance(key, Text) or not isinstance(value, Text):
            raise _UnreadableError(value_node.lineno, "a dict with something else than texts")
        yield key.text, value


def _stripped(node: ast.expr, values: dict[str, Value]) -> Text | None:
    """The text of `TEXT.strip()` and its kin without arguments; None for everything else."""
    if not isinstance(node, ast.Call) or node.args or node.keywords:
        return None
    if not isinstance(node.func, ast.Attribute) or node.func.attr not in _STRIPS:
        return None
    inner = _value(node.func.value, values)
    return (
        Text(_STRIPS[node.func.attr](inner.text), inner.line) if isinstance(inner, Text) else None
    )


def _is_main(statement: ast.stmt) -> bool:
    """Whether it is `if __name__ == "__main__":`, which does nothing where the file is imported."""
    return isinstance(statement, ast.If) and ast.unparse(statement.test) in (
        "__name__ == '__main__'",
        "'__main__' == __name__",
    )


def _chosen(path: Path, values: dict[str, Value]) -> dict[str, Text]:
    dicts = {name: value for name, value in values.items() if isinstance(value, dict)}
    if DICT_NAME in dicts:
        return dicts[DICT_NAME]
    if len({id(value) for value in dicts.values()}) > 1:
        what = f"has several dicts of texts ({', '.join(dicts)})"
        raise InputError([Problem(str(path), what, f"name the one to use {DICT_NAME}")])
    for found in dicts.values():
        return found
    texts = {
        name.replace("_", "-"): value for name, value in values.items() if isinstance(value, Text)
    }
    if not texts:
        remedy = f'write {DICT_NAME} = {{"CMAR": "...", ...}}'
        raise InputError([Problem(str(path), "holds no texts", remedy)])
    return texts
