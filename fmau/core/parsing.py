"""Parse JSON and YAML texts. Every malformed text raises `ValueError`.

The libraries can raise other errors too: a text with thousands of nested brackets, or a YAML anchor
that contains itself, raises RecursionError.
"""

import json
from typing import Any

import yaml

RECURSIVE = "nested too deeply"


def parse_json(text: str) -> Any:
    """Parse a JSON text.

    Raises:
        ValueError: not JSON, nested too deeply, or an integer with thousands of digits.
    """
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError(RECURSIVE) from None


def parse_yaml(text: str) -> Any:
    """Parse a YAML text. Only plain values are created, never Python objects.

    Raises:
        ValueError: not YAML, or nested too deeply.
    """
    try:
        return yaml.safe_load(text)
    except RecursionError:
        raise ValueError(RECURSIVE) from None
    except yaml.YAMLError as error:
        raise ValueError(str(error)) from None
