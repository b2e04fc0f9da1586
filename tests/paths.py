"""Where the tests find things: one place that knows how deep it lies."""

from pathlib import Path

REPO = Path(__file__).resolve().parents[1]
PACKAGE = REPO / "fmau"
TESTS = REPO / "tests"
RECIPES = REPO / "recipes"
PROMPTS = REPO / "prompts"

SHARED = REPO.parent / "shared"
"""Research data beside the checkout, never part of it; tests of it are skipped where it is not."""
MABENCH = SHARED / "mabench"
ALL_12000 = MABENCH / "mabench_data.json"
SAMPLE_60 = MABENCH / "mabench_data_sample_60.json"
REAL_CLIPS = sorted((SHARED / "clips").glob("*.mp4"))
