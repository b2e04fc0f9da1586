"""Worker processes, for work that does not release Python's global lock."""

import os
import threading
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import get_context, parent_process

from fmau.core.errors import RunError


@contextmanager
def worker_pool(workers: int) -> Iterator[ProcessPoolExecutor]:
    """A pool of `workers` processes that end with this process, also if it is killed.

    An error in the block, or Ctrl-C, drops the calls that have not begun.

    Raises:
        RunError: the system ended a worker, for example because the memory was full.
    """
    # Fresh processes: a forked copy of a process with running threads can hang.
    pool = ProcessPoolExecutor(workers, get_context("spawn"), initializer=_end_with_parent)
    try:
        yield pool
    except BrokenProcessPool:
        raise RunError(
            "a worker process was ended from outside, perhaps because the memory was full; free "
            "some memory, then start the same command again"
        ) from None
    finally:
        pool.shutdown(cancel_futures=True)


def _end_with_parent() -> None:
    """Watch the parent process in a thread. A pool's worker does not notice that it has gone: it
    would do the calls that are queued, then wait for more for ever."""
    parent = parent_process()
    assert parent is not None, "the pool starts workers with multiprocessing"

    def watch() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=watch, daemon=True, name="ends with its parent").start()
