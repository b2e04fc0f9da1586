"""Adapt the number of requests in flight to what the server can take. `ChatClient` uses it.

The rule is additive increase, multiplicative decrease, as in TCP (V. Jacobson, Congestion Avoidance
and Control, 1988). If the server answers "too many" (429, 503) or not in time, the limit is halved.
Each round of answered requests raises it by one. The limit starts at its maximum, so a server that
accepts everything is never slowed down.

A server may also accept all requests and let them wait until they time out. Code that can read the
server's queue prevents this with `RateLimiter.hold`.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class RateLimiter:
    """An adaptive limit of requests in flight. For one event loop.

    Args:
        most: highest limit, and the limit at the start.

    Attributes:
        limit: the limit now.
        least: the lowest limit so far.
        answers: number of replies so far.
        slowdowns: how often the limit was halved.
    """

    def __init__(self, most: int) -> None:
        self.limit = float(most)
        self.least = most
        self.slowdowns = 0
        self.answers = 0
        self._most = most
        self._room = most
        self._in_flight = 0
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._round = 0

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[int]:
        """Wait until a request may be sent, first come, first served. Gives the current round."""
        if self._in_flight >= self._allowed or self._waiting:
            turn = asyncio.get_running_loop().create_future()
            self._waiting.append(turn)
            try:
                await turn
            except asyncio.CancelledError:
                if turn.done() and not turn.cancelled():  # granted, but it will not be used
                    self._in_flight -= 1
                    self._admit()
                raise
        else:
            self._in_flight += 1
        try:
            yield self._round
        finally:
            self._in_flight -= 1
            self._admit()

    def answered(self) -> None:
        """Count an answer. `limit` answers together raise the limit by one."""
        self.answers += 1
        self.limit = min(float(self._most), self.limit + 1 / self.limit)
        self._admit()

    def too_many(self, granted: int) -> None:
        """Halve the limit, because the server could not take a request.

        Args:
            granted: the round in which the request got its turn. A request from before the last
                halving is ignored, so requests that were in flight together halve the limit once.
        """
        if granted < self._round:
            return
        self._round += 1
        self.slowdowns += 1
        self.limit = max(1.0, self.limit / 2)
        self.least = min(self.least, int(self.limit))

    def hold(self, room: int) -> None:
        """Allow at most `room` requests in flight (at least one), even if `limit` is higher."""
        self._room = max(1, min(self._most, room))
        self._admit()

    @property
    def _allowed(self) -> int:
        return min(int(self.limit), self._room)

    def _admit(self) -> None:
        while self._waiting and self._in_flight < self._allowed:
            turn = self._waiting.popleft()
            if not turn.cancelled():
                self._in_flight += 1
                turn.set_result(None)
