#!/usr/bin/env bash
# Set up .venv if need be, then check style and types and run every test that needs no GPU.
#   bash scripts/test.sh            everything (slow and server tests included)
#   bash scripts/test.sh --fast     unit tests alone, under two minutes
source "$(dirname "$0")/setup.sh"

marks=()
if [ "${1:-}" = "--fast" ]; then
  shift
  marks=(-m "not slow and not server" -n 2)
fi

# The report is looked at in a real browser; Debian's package needs root.
have_browser() { command -v chromium || command -v chromium-browser || command -v google-chrome; }
if [ -z "${marks[*]}" ] && ! have_browser >/dev/null; then
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "test: installing Chromium, for the tests of the report"
    install='apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium'
    DEBIAN_FRONTEND=noninteractive timeout 900 bash -c "$install" >/dev/null 2>&1 || true
  fi
  have_browser >/dev/null || echo "test: NOT TESTED: the report in a browser. Install Chromium to test it." >&2
fi

echo "test: ruff"
ruff check .
ruff format --check .
echo "test: mypy"
mypy
echo "test: pytest ${marks[*]}"
exec python -m pytest -q "${marks[@]}" "$@"
