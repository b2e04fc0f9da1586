#!/usr/bin/env bash
# Set up .venv if need be, then check style and types and run every test that needs no GPU.
#   bash scripts/test.sh            everything (slow and server tests included)
#   bash scripts/test.sh --fast     unit tests alone, under two minutes
source "$(dirname "$0")/setup.sh"

marks=()
if [ "${1:-}" = "--fast" ]; then
  shift
  marks=(-m "not slow and not server")
fi

echo "test: ruff"
ruff check .
ruff format --check .
echo "test: mypy"
mypy
echo "test: pytest ${marks[*]}"
exec python -m pytest -q "${marks[@]}" "$@"
