#!/usr/bin/env bash
# Set up .venv if need be, then run the main job end to end on two CPU cores, in under ten minutes:
# render a mini benchmark, start vLLM with the tiny checkpoint, answer, score, report.
source "$(dirname "$0")/setup.sh"

say() { printf '\n\033[1mdemo: %s\033[0m\n' "$*"; }
recipe=recipes/zero_shot_tiny.yaml

# Every demo starts anew, so that what it shows is this checkout's work and nothing older.
rm -rf demo

say "rendering a mini benchmark into demo/mini (50 clips, 600 questions)"
fmau mini demo/mini --clips 50 --train-clips 0 --seed 0

say "checking recipe, prompts and data"
fmau check "$recipe"

say "answering through vLLM (CPU build, tiny checkpoint)"
fmau answer "$recipe"

say "writing the report"
fmau report demo/runs/zero_shot_tiny
say "done: open demo/runs/zero_shot_tiny/report.html in a browser"
