"""Prompts in a Python file: what is read is what Python itself makes of it, and nothing runs."""

import runpy
from pathlib import Path

import pytest

from fmau.core.errors import InputError
from fmau.prompting.python_prompts import read_python_prompts

GOOD = {
    "triple quotes": 'A = """\n\nLook at the "head".\n"""\nSYSTEM_PROMPTS = {"CMAR": A}\n',
    "side by side": "SYSTEM_PROMPTS = {'CMAR': 'Look ' \"closely. \"\n    'Answer.'}\n",
    "plus": 'R = "One letter."\nSYSTEM_PROMPTS = {"CMAR": "Look. " + R, "FMAR": R + R}\n',
    "strip": 'SYSTEM_PROMPTS = {"CMAR": """\n  Look.\n""".strip(), "SAD": " x ".rstrip()}\n',
    "escapes": 'SYSTEM_PROMPTS = {"CMAR": "a\\tb \\u00e9 \\\\d", "SAD": r"\\d{2}", "MAD": "{}"}\n',
    "keys later": 'SYSTEM_PROMPTS = {}\nSYSTEM_PROMPTS["AS"] = "A"\nSYSTEM_PROMPTS["AS"] = "B"\n',
    "a shared dict": 'A = {"CMAR": "x"}\nSYSTEM_PROMPTS = A\nA["SAD"] = "y"\n',
    "a key twice": 'SYSTEM_PROMPTS = {"CMAR": "first", "CMAR": "last"}\n',
    "typed": 'from typing import Dict\nSYSTEM_PROMPTS: Dict[str, str] = {"CMAR": "x"}\n',
    "around": '"""About."""\nimport os\nMAX = 8\nNAMES = ["a", "b"]\n\n\n'
    "def f():\n    return os.getcwd()\n\n\n"
    'SYSTEM_PROMPTS = {"CMAR": "x"}\nif __name__ == "__main__":\n    print(f())\n',
    "reassigned": 'A = "x"\nB = A\nA = "y"\nSYSTEM_PROMPTS = {"CMAR": A, "SAD": B}\n',
}


def write(folder: Path, text: str) -> Path:
    path = folder / "prompts.py"
    path.write_text(text, "utf-8")
    return path


@pytest.mark.parametrize("text", GOOD.values(), ids=GOOD)
def test_the_texts_are_those_that_python_makes(text: str, tmp_path: Path) -> None:
    path = write(tmp_path, text)
    read = {key: found.text for key, found in read_python_prompts(path).items()}
    assert read == runpy.run_path(str(path))["SYSTEM_PROMPTS"]
    assert read


def test_without_the_kits_name_the_only_dict_is_taken_or_the_texts_by_their_names(
    tmp_path: Path,
) -> None:
    found = read_python_prompts(write(tmp_path, 'PROMPTS = {"CMAR": "x"}\nB = "no"\n'))
    assert [(key, one.text, one.line) for key, one in found.items()] == [("CMAR", "x", 1)]
    found = read_python_prompts(write(tmp_path, '\nVCC_LS = "x"\nAS = """y\nz"""\n'))
    assert [(key, one.line) for key, one in found.items()] == [("VCC-LS", 2), ("AS", 3)]


RUNS = {
    "a call": ("__import__('os').system('touch RAN')\n", 1, "a statement"),
    "a value": ("X = 'a'\nY = __import__('os').system('touch RAN')\n", 2, "a call"),
    "in the dict": (
        "SYSTEM_PROMPTS = {\n  'CMAR': 'x',\n  'SAD': open('RAN', 'w').name,\n}\n",
        3,
        "an expression",
    ),
    "an f-string": ("A = 'x'\nSYSTEM_PROMPTS = {'CMAR': 'y'\n  f'{A}'}\n", 2, "an f-string"),
    "a hidden f-string": ("A = ('x'\n  f'{open(chr(82), chr(119))}')\n", 1, "an f-string"),
    "a loop": (
        "A = {'CMAR': 'x'}\nfor k in A:\n  A[k] = open('RAN', 'w').name\n",
        2,
        "a statement",
    ),
    "a class": ("class A:\n  open('RAN', 'w')\nSYSTEM_PROMPTS = {'CMAR': 'x'}\n", 1, "a statement"),
    "a decorator": ("@__import__('os').system\ndef f(): ...\n", 2, "a statement"),
    "a strip with a call": ("A = open('RAN', 'w').name.strip()\n", 1, "an expression"),
    "a comprehension": ("A = {k: 'x' for k in [open('RAN', 'w')]}\n", 1, "an expression"),
    "a subscript": ("A = {}\nA[open('RAN', 'w').name] = 'x'\n", 2, "an expression"),
    "an unknown name": ("SYSTEM_PROMPTS = {'CMAR': HEAD}\n", 1, "the name 'HEAD'"),
    "more of a text": ("A = 'x'\nA += 'y'\n", 2, "a statement"),
    "no texts in the dict": ("SYSTEM_PROMPTS = {'CMAR': ['x', 'y']}\n", 1, "a dict with something"),
}


@pytest.mark.parametrize(("text", "line", "said"), RUNS.values(), ids=RUNS)
def test_what_would_have_to_be_run_is_refused_with_its_line_and_not_run(
    text: str, line: int, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError) as refused:
        read_python_prompts(write(tmp_path, text))
    assert f"prompts.py line {line}: {said}" in str(refused.value)
    assert [path.name for path in tmp_path.iterdir()] == ["prompts.py"]


def test_all_defects_are_named_at_once(tmp_path: Path) -> None:
    with pytest.raises(InputError) as refused:
        read_python_prompts(write(tmp_path, "A = f'{1}'\nB = 'x'\nprint(B)\n"))
    assert [problem.where[-6:] for problem in refused.value.problems] == ["line 1", "line 3"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("A = 'x\n", "line 1: not Python"),
        ("A = '''x\n", "not Python"),
        ("A = " + "(" * 5000, "not Python"),
        ("A = " + " + ".join(["'x'"] * 20_000), "nested too deeply"),
        ("A = 1\n", "holds no texts"),
        ("A = {'CMAR': 'x'}\nB = {'CMAR': 'y'}\n", "several dicts of texts (A, B)"),
        ("\nA = {\n'CMAR': 'x<|im_end|>'}\n", "line 3 (CMAR): the text holds the control token"),
    ],
)
def test_an_unusable_file_is_an_error_for_people(text: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(InputError) as refused:
        read_python_prompts(write(tmp_path, text))
    assert said in str(refused.value)
