"""Work that is done while somebody waits for something else."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")


def work_ahead(items: Iterator[T]) -> Iterator[T]:
    """Yield the items while a thread already makes the next one; what making them raises is raised here.

    It pays where the other work waits for a server. A library that lets go of the interpreter for
    microseconds, a thousand times a batch, as SQLite's driver does, would get it back late each time.
    """
    end = object()
    with ThreadPoolExecutor(1, thread_name_prefix="ahead") as thread:
        coming = thread.submit(next, items, end)
        while (item := coming.result()) is not end:
            coming = thread.submit(next, items, end)
            yield item  # type: ignore[misc]  # it is not the end
