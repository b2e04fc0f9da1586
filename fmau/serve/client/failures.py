"""Ways in which a request to a chat server fails. `chat.py` raises them."""

from fmau.core.errors import ServerError


class NoServerError(ServerError):
    """Nothing listens at the address."""


class RequestError(Exception):
    """One request got no reply; the error's text gives the reason, for people.

    Attributes:
        may_pass: the same request may get a reply another time; False if the server refused it.
    """

    may_pass = False


class TransientError(RequestError):
    """A failure that may be gone at the next attempt.

    Attributes:
        wait_s: seconds that the server asks us to wait; 0 if it does not ask.
    """

    may_pass = True

    def __init__(self, text: str, wait_s: float = 0.0) -> None:
        super().__init__(text)
        self.wait_s = wait_s


class CacheMissError(TransientError):
    """The server no longer holds the clip that the request refers to."""
