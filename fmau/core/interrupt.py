"""Run asynchronous work from synchronous code, also in a notebook; Ctrl-C stops it cleanly."""

import asyncio
import signal
import threading
from collections.abc import Awaitable, Coroutine, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

T = TypeVar("T")


def run_async(work: Coroutine[Any, Any, T]) -> T:
    """Run asynchronous work to its end, like `asyncio.run`, also inside a notebook.

    A notebook already runs an event loop, and synchronous code cannot wait for it. There the work
    runs in a second thread with its own loop. An interrupt of the notebook's kernel cancels it.
    """
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(work)
    started: Future[tuple[asyncio.AbstractEventLoop, asyncio.Task[Any] | None]] = Future()

    async def told() -> T:
        started.set_result((asyncio.get_running_loop(), asyncio.current_task()))
        return await work

    with ThreadPoolExecutor(1) as pool:
        outcome = pool.submit(asyncio.run, told())
        try:
            return outcome.result()
        except KeyboardInterrupt:
            loop, task = started.result()
            assert task is not None, "asyncio.run runs a task"
            with suppress(RuntimeError):  # the work has just ended and its loop is closed
                loop.call_soon_threadsafe(task.cancel)
            return outcome.result()


async def finished(work: Awaitable[None]) -> bool:
    """Await `work`. Returns False if SIGINT or SIGTERM ended it early, else True.

    Raises:
        the error that `work` raised; of an exception group only the first error, because the
        others are its consequences.
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
    """SIGINT and SIGTERM cancel the current task; only in the main thread, where Python can handle
    signals."""
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
