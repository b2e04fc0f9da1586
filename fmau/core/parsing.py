"""JSON and YAML texts as values. Whatever is wrong with a text, it is a `ValueError`.

The libraries have more ways to fail than they name: thousands of brackets end in a RecursionError,
and so does a YAML text whose anchors contain themselves.
"""

import json
from typing import Any

import yaml

RECURSIVE = "nested too deeply"


def parse_json(text: str) -> Any:
    """The value that a JSON text encodes.

    Raises:
        ValueError: it is no JSON, or nobody's: nested too deeply, integers of thousands of digits.
    """
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError(RECURSIVE) from None


def parse_yaml(text: str) -> Any:
    """The value that a YAML text encodes; plain values alone, never objects.

    Raises:
        ValueError: it is no YAML, or nested too deeply.
    """
    try:
        return yaml.safe_load(text)
    except RecursionError:
        raise ValueError(RECURSIVE) from None
    except yaml.YAMLError as error:
        raise ValueError(str(error)) from None
