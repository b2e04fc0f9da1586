"""Asynchronous work that Ctrl-C ends in good order."""

import asyncio
import signal
import threading
from collections.abc import Awaitable, Iterator
from contextlib import contextmanager


async def finished(work: Awaitable[None]) -> bool:
    """Await `work`; False if SIGINT or SIGTERM ended it early.

    Raises:
        whatever `work` raised; out of a task group the first error alone, since the others follow
        from it.
    """
    try:
        with _signals_cancel_this_task():
            await work
    except asyncio.CancelledError:
        return False
    except BaseExceptionGroup as group:
        raise _first_leaf(group) from None
    return True


@contextmanager
def _signals_cancel_this_task() -> Iterator[None]:
    """SIGINT and SIGTERM cancel the current task (only a main thread can be told of them)."""
    task = asyncio.current_task()
    if task is None or threading.current_thread() is not threading.main_thread():
        yield
        return
    loop = asyncio.get_running_loop()
    signals = (signal.SIGINT, signal.SIGTERM)
    for number in signals:
        loop.add_signal_handler(number, task.cancel)
    try:
        yield
    finally:
        for number in signals:
            loop.remove_signal_handler(number)


def _first_leaf(group: BaseExceptionGroup[BaseException]) -> BaseException:
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
