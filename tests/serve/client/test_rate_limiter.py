"""The limit of requests in flight, against simulated servers."""

import asyncio

import pytest

from fmau.serve.client.rate_limiter import RateLimiter


async def simulate(limiter: RateLimiter, capacity: int, requests: int) -> list[int]:
    """Requests to a server that refuses what is over its capacity; refused ones are sent again.
    Gives how many were at the server when each was taken in."""
    at_server = 0
    seen: list[int] = []

    async def ask() -> None:
        nonlocal at_server
        while True:
            async with limiter.turn() as granted:
                at_server += 1
                seen.append(at_server)
                refused = at_server > capacity
                try:
                    await asyncio.sleep(0)
                finally:
                    at_server -= 1
                if refused:
                    limiter.too_many(granted)
                else:
                    limiter.answered()
                    return

    async with asyncio.TaskGroup() as tasks:
        for _ in range(requests):
            tasks.create_task(ask())
    return seen


def test_a_server_that_takes_everything_is_sent_the_most_from_the_start() -> None:
    limiter = RateLimiter(32)
    seen = asyncio.run(simulate(limiter, capacity=1000, requests=500))
    assert max(seen) == 32
    assert (limiter.limit, limiter.least, limiter.slowdowns) == (32, 32, 0)


@pytest.mark.parametrize("capacity", [1, 5, 12])
def test_a_server_that_refuses_is_held_near_what_it_takes(capacity: int) -> None:
    limiter = RateLimiter(64)
    seen = asyncio.run(simulate(limiter, capacity, requests=3000))
    late = seen[len(seen) // 2 :]
    assert max(late) <= 2 * capacity + 1
    assert sum(late) / len(late) >= capacity / 3
    assert limiter.slowdowns > 0


def test_what_is_held_back_comes_in_when_there_is_room_again() -> None:
    async def work() -> list[int]:
        limiter, let_in, end = RateLimiter(100), [], asyncio.Event()
        inside = 0

        async def ask() -> None:
            nonlocal inside
            async with limiter.turn():
                inside += 1
                await end.wait()

        limiter.hold(7)
        async with asyncio.TaskGroup() as tasks:
            for _ in range(200):
                tasks.create_task(ask())
            for room in (7, 3, 0, 20, 1000):
                limiter.hold(room)
                await asyncio.sleep(0.01)
                let_in.append(inside)
            end.set()
        return let_in

    assert asyncio.run(work()) == [7, 7, 7, 20, 100]


def test_all_that_was_in_flight_together_halves_the_limit_once() -> None:
    async def work() -> RateLimiter:
        limiter = RateLimiter(16)
        async with asyncio.TaskGroup() as tasks:

            async def refused() -> None:
                async with limiter.turn() as granted:
                    await asyncio.sleep(0)
                    limiter.too_many(granted)

            for _ in range(16):
                tasks.create_task(refused())
        return limiter

    limiter = asyncio.run(work())
    assert (limiter.limit, limiter.slowdowns) == (8, 1)


def test_it_grows_back_by_one_a_round() -> None:
    limiter = RateLimiter(16)
    limiter.too_many(0)
    for _ in range(8):  # one round at a limit of 8
        limiter.answered()
    assert 8.9 < limiter.limit <= 9
    for _ in range(1000):
        limiter.answered()
    assert limiter.limit == 16


def test_it_never_falls_below_one() -> None:
    limiter = RateLimiter(4)
    for granted in range(10):
        limiter.too_many(granted)
    assert (limiter.limit, limiter.least) == (1, 1)


def test_cancelled_requests_give_their_turn_back() -> None:
    async def work() -> list[int]:
        limiter = RateLimiter(2)
        done: list[int] = []

        async def ask(number: int, seconds: float) -> None:
            async with limiter.turn():
                await asyncio.sleep(seconds)
                done.append(number)

        holders = [asyncio.create_task(ask(n, 60)) for n in range(2)]
        waiting = [asyncio.create_task(ask(n, 0)) for n in range(2, 6)]
        await asyncio.sleep(0.01)
        waiting[0].cancel()  # while it waits
        holders[0].cancel()  # while it holds
        await asyncio.sleep(0)
        waiting[1].cancel()  # at the moment that it was granted
        await asyncio.gather(*waiting, return_exceptions=True)
        holders[1].cancel()
        await asyncio.gather(*holders, return_exceptions=True)
        await ask(9, 0)
        return done

    assert asyncio.run(asyncio.wait_for(work(), 10)) == [4, 5, 9]
