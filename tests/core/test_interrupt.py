"""Asynchronous work is run from scripts and from notebooks, and an interrupt ends it in order."""

import asyncio
import os
import signal
import threading
import time

import pytest

from fmau.core.interrupt import finished, run_async


async def doubled(value: int) -> int:
    await asyncio.sleep(0.01)
    return 2 * value


def test_work_is_run_from_a_script_and_from_within_a_running_loop() -> None:
    async def cell() -> int:
        """As in a notebook, whose loop runs while the cell's code does."""
        return run_async(doubled(21))

    assert run_async(doubled(4)) == 8
    assert asyncio.run(cell()) == 42


def test_an_error_of_the_work_reaches_its_caller() -> None:
    async def fails() -> None:
        raise ZeroDivisionError

    async def cell() -> None:
        run_async(fails())

    with pytest.raises(ZeroDivisionError):
        run_async(fails())
    with pytest.raises(ZeroDivisionError):
        asyncio.run(cell())


def test_an_interrupt_of_a_notebook_ends_the_work_in_order() -> None:
    ended: list[bool] = []

    async def long() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            ended.append(True)

    async def work() -> bool:
        return await finished(long())

    async def cell() -> bool:
        # What "interrupt the kernel" sends.
        threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT)).start()
        return run_async(work())

    loop = asyncio.new_event_loop()  # asyncio.run would take the signal for itself
    started = time.monotonic()
    try:
        assert loop.run_until_complete(cell()) is False
    finally:
        loop.close()
    assert ended == [True]
    assert time.monotonic() - started < 10
