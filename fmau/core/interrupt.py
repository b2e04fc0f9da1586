"""Asynchronous work, run from anywhere, that Ctrl-C ends in good order."""

import asyncio
import signal
import threading
from collections.abc import Awaitable, Coroutine, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

T = TypeVar("T")


def run_async(work: Coroutine[Any, Any, T]) -> T:
    """Run asynchronous work to its end, as `asyncio.run` does, also from within a notebook.

    A notebook's own event loop is running already and cannot be waited for, so there the work gets
    a thread with a loop of its own. An interrupt of the kernel then cancels the work.
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
            with suppress(RuntimeError):  # the work ended by itself meanwhile, and its loop
                loop.call_soon_threadsafe(task.cancel)
            return outcome.result()


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
