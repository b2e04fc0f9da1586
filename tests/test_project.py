"""What is said in several of the project's own files is said alike: needs, Pythons, version."""

import re
import tomllib

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from tests.paths import REPO

PROJECT = tomllib.loads((REPO / "pyproject.toml").read_text("utf-8"))
EXTRAS = PROJECT["project"]["optional-dependencies"]
GPU_ONLY = {"serve", "qlora"}
"""Extras that the CPU environment does without."""

PINS = [
    Requirement(line)
    for line in (REPO / "scripts/requirements-cpu.lock").read_text("utf-8").splitlines()
    if line and not line.startswith("#")
]
NEEDS = [
    *((line, "build-system") for line in PROJECT["build-system"]["requires"]),
    *((line, "dependencies") for line in PROJECT["project"]["dependencies"]),
    *((line, extra) for extra in EXTRAS if extra not in GPU_ONLY for line in EXTRAS[extra]),
]


def test_the_lock_pins_each_package_once_in_alphabetical_order() -> None:
    names = [pin.name.lower() for pin in PINS]
    assert names == sorted(set(names))
    assert all(re.fullmatch(r"==[^*,]+", str(pin.specifier)) for pin in PINS)


@pytest.mark.parametrize(("line", "where"), NEEDS)
def test_the_lock_holds_what_pyproject_needs(line: str, where: str) -> None:
    need = Requirement(line)
    if need.name == "fmau":  # one extra in another; its own lines are cases too
        assert need.extras <= EXTRAS.keys()
        return
    found = [pin for pin in PINS if canonicalize_name(pin.name) == canonicalize_name(need.name)]
    assert found, f"{where} needs {line}, and the lock has none"
    version = str(found[0].specifier).removeprefix("==")
    assert need.specifier.contains(version, prereleases=True), f"{where}: {line}, not {version}"


def test_the_pythons_that_are_named_are_those_that_ci_runs() -> None:
    prefix = "Programming Language :: Python :: 3."
    named = {
        line.removeprefix(prefix)
        for line in PROJECT["project"]["classifiers"]
        if line.startswith(prefix)
    }
    jobs = yaml.safe_load((REPO / ".github/workflows/ci.yml").read_text("utf-8"))["jobs"]
    full = [step["with"]["python-version"] for step in jobs["full"]["steps"] if "with" in step]
    tested = {*full, *jobs["fast"]["strategy"]["matrix"]["python"]}
    assert {f"3.{minor}" for minor in named} == tested

    oldest = min(tested, key=Version)
    assert PROJECT["project"]["requires-python"] == f">={oldest}"
    assert PROJECT["tool"]["mypy"]["python_version"] == oldest
    assert PROJECT["tool"]["ruff"]["target-version"] == f"py{oldest.replace('.', '')}"


def test_the_version_is_the_same_everywhere() -> None:
    citation = yaml.safe_load((REPO / "CITATION.cff").read_text("utf-8"))
    releases = re.findall(r"^## \[(\d.*?)\]", (REPO / "CHANGELOG.md").read_text("utf-8"), re.M)
    assert PROJECT["project"]["version"] == str(citation["version"]) == releases[0]
