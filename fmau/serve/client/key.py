"""Reads API keys. A key stands in the environment alone: recipes and manifests are shared."""

import os

from fmau.core.errors import ServerError


def read_key(variable: str) -> str | None:
    """The key in an environment variable; None if there is none.

    White space around it is left out: files with such variables often end their lines with a
    carriage return.

    Raises:
        ServerError: the key has a character that no HTTP header can hold. The text does not show
            the key, nor the character.
    """
    key = os.environ.get(variable, "").strip()
    for place, character in enumerate(key, 1):
        if not "!" <= character <= "~":
            raise ServerError(
                f"{variable}: character {place} of the key can stand in no HTTP header; set the "
                "variable again, without quotation marks, spaces or line ends"
            )
    return key or None
