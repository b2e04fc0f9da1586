"""Applies a function to many items in threads, with a bounded number of waiting results.

The frame cache decodes clips with it.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

ItemT = TypeVar("ItemT")
ResultT = TypeVar("ResultT")


def map_ahead(
    function: Callable[[ItemT], ResultT], items: Iterable[ItemT], workers: int
) -> Iterator[ResultT]:
    """Yield `function(item)` for every item, in order, computed ahead by `workers` threads.

    At most two results per thread wait to be taken. `ThreadPoolExecutor.map` has no such limit: the
    frames of all clips would fill the memory.
    """
    pending: deque[Future[ResultT]] = deque()
    pool = ThreadPoolExecutor(workers)
    try:
        for item in items:
            pending.append(pool.submit(function, item))
            if len(pending) > 2 * workers:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)
