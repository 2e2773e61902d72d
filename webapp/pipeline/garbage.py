"""The garbage collector, kept from looking at thousands of rows again and again."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

ROWS_AT_ONCE = 200_000  # objects of a few batches


def drop_cycles() -> None:
    """Let go of what only refers to itself since the last look, such as the statements of a batch.

    Between rare collections they gather (measured: 14 MB within a million sales).
    """
    gc.collect(1)


@contextmanager
def rare_collections() -> Iterator[None]:
    """Let the block hold thousands of rows at once without a search for cycles at every 700th object.

    Rows hold none: they go as soon as nobody refers to them (measured: an import spent half its time
    in the collector).
    """
    before = gc.get_threshold()
    gc.set_threshold(ROWS_AT_ONCE, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)
