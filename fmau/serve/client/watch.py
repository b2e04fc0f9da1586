"""Tell a failed request from a failed server. Both engines (answer, judge) use it."""

from fmau.core.errors import ServerError
from fmau.serve.client.chat import ChatClient
from fmau.serve.client.failures import RequestError

MAX_FAILURES_IN_A_ROW = 24
"""The questions of two clips. If so many requests fail without a reply between them, the server or
the set-up is at fault, and all other requests would fail too."""


class FailureWatch:
    """Counts the failures of all requests to one server."""

    def __init__(self, client: ChatClient) -> None:
        self._client = client
        self._in_a_row = 0
        self._has_replied = False

    def replied(self) -> None:
        """Count a request that got its reply."""
        self._in_a_row = 0
        self._has_replied = True

    async def check(self, error: RequestError) -> None:
        """Check that the server is still alive after a request failed.

        Raises:
            ServerError: the server stopped or never replied, so the request itself is not at fault.
        """
        if await self._client.is_alive():
            return
        if self._has_replied:
            raise ServerError(
                f"{self._client.base_url}: the server is gone ({error}); start it again, then run "
                "the same command to continue"
            )
        raise ServerError(
            f"{self._client.base_url}: the server never replied ({error}); check the address, or "
            "start it"
        )

    def failed(self, what: str, error: RequestError) -> None:
        """Count a request that got no reply.

        Args:
            what: name of the request in the error, e.g. a qid.

        Raises:
            ServerError: the last `MAX_FAILURES_IN_A_ROW` requests all failed.
        """
        self._in_a_row += 1
        if self._in_a_row >= MAX_FAILURES_IN_A_ROW:
            raise ServerError(
                f"{self._client.base_url}: the last {self._in_a_row} requests failed, the latest "
                f"({what}) with: {error}"
            )
