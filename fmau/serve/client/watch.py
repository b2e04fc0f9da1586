"""Telling a request that failed from a server that did."""

from fmau.core.errors import ServerError
from fmau.serve.client.chat import ChatClient, RequestError

MAX_FAILURES_IN_A_ROW = 24
"""Two clips' worth of questions. So many failures without one reply between them are the server's
or the set-up's fault, and the next thousands would share it."""


class FailureWatch:
    """One for all requests to a server."""

    def __init__(self, client: ChatClient) -> None:
        self._client = client
        self._in_a_row = 0
        self._has_replied = False

    def replied(self) -> None:
        """A request got its reply."""
        self._in_a_row = 0
        self._has_replied = True

    async def check(self, error: RequestError) -> None:
        """See that the server is still there after a request failed.

        Raises:
            ServerError: it is gone, or never was there, so the request is no failure of its own.
        """
        if await self._client.is_alive():
            return
        if self._has_replied:
            raise ServerError(
                f"{self._client.base_url}: the server is gone ({error}); start it again, then the "
                "same command goes on where it stopped"
            )
        raise ServerError(
            f"{self._client.base_url}: the server never replied ({error}); check the address, or "
            "start it"
        )

    def failed(self, what: str, error: RequestError) -> None:
        """Count a request that got no reply.

        Args:
            what: was asked about, e.g. a qid.

        Raises:
            ServerError: everything fails, so the next thousands would too.
        """
        self._in_a_row += 1
        if self._in_a_row >= MAX_FAILURES_IN_A_ROW:
            raise ServerError(
                f"{self._client.base_url}: the last {self._in_a_row} requests failed, the latest "
                f"({what}) with: {error}"
            )
