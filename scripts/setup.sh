#!/usr/bin/env bash
# Make .venv from the CPU lock, once per lock. Sourced by test.sh and demo.sh; harmless to run on its own.
# PYTHON=python3.12 (or 3.13) takes another Python than 3.11, and makes .venv anew if that was another's.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

LOCK=scripts/requirements-cpu.lock
STAMP=.venv/.fmau-lock-sha256
WANT=$(sha256sum "$LOCK" pyproject.toml | sha256sum | cut -d' ' -f1)

python_version() { "$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])'; }
find_python() {
  if ! command -v "$PYTHON" >/dev/null; then
    echo "setup: $PYTHON not found. Install Python 3.11, 3.12 or 3.13, or name one: PYTHON=/path/to/python $0" >&2
    exit 1
  fi
  case "$(python_version "$PYTHON")" in
    3.11 | 3.12 | 3.13) ;;
    *)
      echo "setup: $PYTHON is Python $(python_version "$PYTHON"), fmau needs 3.11, 3.12 or 3.13. Name one: PYTHON=/path/to/python $0" >&2
      exit 1
      ;;
  esac
}

if [ -n "${PYTHON:-}" ]; then
  find_python
  if [ -x .venv/bin/python ] && [ "$(python_version .venv/bin/python)" != "$(python_version "$PYTHON")" ]; then
    echo "setup: .venv was made by another Python than $PYTHON, making it anew"
    "$PYTHON" -m venv --clear .venv
  fi
fi

if [ -f "$STAMP" ] && [ "$(cat "$STAMP")" = "$WANT" ]; then
  echo "setup: .venv matches the lock, reusing it"
else
  PYTHON=${PYTHON:-python3.11}
  find_python
  echo "setup: installing the pinned CPU environment into .venv (several minutes the first time)"
  # An interrupted start, or a Python without ensurepip, leaves a .venv without pip: make it again.
  .venv/bin/python -m pip --version >/dev/null 2>&1 || "$PYTHON" -m venv .venv
  # torch comes first and with its dependencies: where pip finds only the CUDA build, that build
  # needs its CUDA libraries; where a CPU build is offered, this adds nothing that the lock lacks.
  .venv/bin/python -m pip install --quiet --disable-pip-version-check -c "$LOCK" torch==2.13.0
  # The rest without dependencies: the lock is complete, and the resolver would add torchaudio.
  .venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps -r "$LOCK"
  .venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
  echo "$WANT" > "$STAMP"
fi
export PATH="$PWD/.venv/bin:$PATH"
