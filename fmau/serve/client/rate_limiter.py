"""How many requests a server is sent at once, found out by asking it.

Additive increase, multiplicative decrease, as TCP does it (V. Jacobson, Congestion Avoidance and
Control, 1988): a server that says "too many" (429, 503) or does not answer in time halves the
number, each round of answered requests adds one again. So a server that takes everything is sent
the most allowed from the start, and one that does not is kept at what it takes.

A server may also take everything and let it wait until time runs out. Who can see its queue bounds
the number before that happens (`RateLimiter.hold`).
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class RateLimiter:
    """A limit of requests in flight that gives way. For one event loop.

    Args:
        most: never more than this; also where it begins.

    Attributes:
        limit: requests in flight allowed now.
        least: the lowest it ever was.
        answers: replies so far.
        slowdowns: how often it was halved.
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
        """Wait for a turn, first come first served; gives the round in which it was granted."""
        if self._in_flight >= self._allowed or self._waiting:
            turn = asyncio.get_running_loop().create_future()
            self._waiting.append(turn)
            try:
                await turn
            except asyncio.CancelledError:
                if turn.done() and not turn.cancelled():  # granted, and nobody will use it
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
        """A request was answered: the limit grows by one per round of `limit` answers."""
        self.answers += 1
        self.limit = min(float(self._most), self.limit + 1 / self.limit)
        self._admit()

    def too_many(self, granted: int) -> None:
        """A request was too much for the server: halve the limit.

        Args:
            granted: the round in which it got its turn. Requests that were sent before the last
                halving say nothing new, so all that were in flight together halve it once.
        """
        if granted < self._round:
            return
        self._round += 1
        self.slowdowns += 1
        self.limit = max(1.0, self.limit / 2)
        self.least = min(self.least, int(self.limit))

    def hold(self, room: int) -> None:
        """Keep it at `room` requests for now, whatever the limit; at one at least."""
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
