"""What is said in several of the project's own files is said alike: needs, Pythons, version."""

import importlib.metadata
import re
import tomllib
from collections.abc import Iterable
from fnmatch import fnmatch

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

PYTHONS = [
    line.removeprefix("Programming Language :: Python :: ")
    for line in PROJECT["project"]["classifiers"]
    if line.startswith("Programming Language :: Python :: 3.")
]
LEFT_OUT = {
    *("torchaudio", "torchcodec"),  # the lock's head says why
    *("llm", "llama-cpp-python"),  # the small judge needs the weights alone
    *("triton", "nvidia-*", "cuda-*"),  # come with the CUDA build of torch, and not with the CPU's
}
"""What packages of the lock ask for, and the lock leaves out on purpose."""

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


def installed_as_locked() -> bool:
    """Whether the tests run in the lock's environment, whose metadata they can therefore ask."""
    versions = {
        canonicalize_name(found.name): found.version for found in importlib.metadata.distributions()
    }
    return all(
        pin.specifier.contains(versions.get(canonicalize_name(pin.name), "0")) for pin in PINS
    )


def asked_for(needs: Iterable[Requirement]) -> set[tuple[str, str]]:
    """Requirements as pairs of a package and one of its extras, "" for the package alone."""
    return {(canonicalize_name(need.name), extra) for need in needs for extra in ("", *need.extras)}


def needed_by(package: str, extra: str) -> set[tuple[str, str]]:
    """What an installed package, or one of its extras, asks for on any of our Pythons."""
    needs = map(Requirement, importlib.metadata.requires(package) or [])
    places = [
        {"extra": extra, "python_version": python, "python_full_version": f"{python}.0"}
        for python in PYTHONS
    ]
    return asked_for(
        need for need in needs if need.marker is None or any(map(need.marker.evaluate, places))
    )


@pytest.mark.skipif(not installed_as_locked(), reason="the environment is not the lock's")
def test_the_lock_holds_all_that_is_needed_and_nothing_else() -> None:
    locked = {str(canonicalize_name(pin.name)) for pin in PINS}
    waiting = asked_for(Requirement(line) for line, _ in NEEDS)
    reached: set[tuple[str, str]] = set()
    while waiting := waiting - reached:
        reached |= waiting
        waiting = {
            need
            for package, extra in waiting
            if package in locked
            for need in needed_by(package, extra)
        }
    needed = {package for package, _ in reached} - {"fmau"}
    missing = {package for package in needed - locked if not left_out_on_purpose(package)}
    assert not missing, "needed, and not in the lock"
    assert not locked - needed, "in the lock, and needed by nothing"


def left_out_on_purpose(name: str) -> bool:
    """Whether a package is left out on purpose."""
    return any(fnmatch(name, pattern) for pattern in LEFT_OUT)


def test_the_pythons_that_are_named_are_those_that_ci_runs() -> None:
    jobs = yaml.safe_load((REPO / ".github/workflows/ci.yml").read_text("utf-8"))["jobs"]
    full = [step["with"]["python-version"] for step in jobs["full"]["steps"] if "with" in step]
    tested = {*full, *jobs["fast"]["strategy"]["matrix"]["python"]}
    assert tested == set(PYTHONS)

    oldest = min(tested, key=Version)
    assert PROJECT["project"]["requires-python"] == f">={oldest}"
    assert PROJECT["tool"]["mypy"]["python_version"] == oldest
    assert PROJECT["tool"]["ruff"]["target-version"] == f"py{oldest.replace('.', '')}"


def test_the_version_is_the_same_everywhere() -> None:
    citation = yaml.safe_load((REPO / "CITATION.cff").read_text("utf-8"))
    releases = re.findall(r"^## \[(\d.*?)\]", (REPO / "CHANGELOG.md").read_text("utf-8"), re.M)
    assert PROJECT["project"]["version"] == str(citation["version"]) == releases[0]
