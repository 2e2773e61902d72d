"""Columns of numbers (numpy) and what the demo shop reckons with them. Imported only while it runs."""

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.int64]
Shares = NDArray[np.float64]


def running_sums(groups: Numbers, values: Numbers) -> Numbers:
    """Return for each element the sum of the values of its group so far, itself included."""
    order = np.argsort(groups, kind="stable")
    sums = np.cumsum(values[order])
    starts = np.flatnonzero(np.diff(groups[order], prepend=-1))
    before = sums[starts] - values[order][starts]
    lengths = np.diff(starts, append=len(groups))
    result = np.empty_like(sums)
    result[order] = sums - np.repeat(before, lengths)
    return result


def is_first_of_pair(left: Numbers, right: Numbers) -> NDArray[np.bool_]:
    """Whether a pair of numbers stands here for the first time, for each place."""
    order = np.lexsort((right, left))
    is_first = np.ones(len(left), dtype=bool)
    is_first[order[1:]] = (np.diff(left[order]) != 0) | (np.diff(right[order]) != 0)
    return is_first


def round_up(numbers: Shares | Numbers) -> Numbers:
    """Round to what people write: whole numbers up to 10, then fives, then tens, then fifties."""
    step = np.where(numbers <= 10, 1, np.where(numbers <= 50, 5, np.where(numbers <= 500, 10, 50)))
    return (np.ceil(numbers / step) * step).astype(np.int64)
