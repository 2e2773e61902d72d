"""Which keys a job has met, and where: a million of them in 12 MB."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy import ndarray


LONGEST_RUN = 100_000  # keys; two of them are sorted together in 5 MB


class SeenKeys:
    """The keys of a file's rows with the line of each.

    Only 64 bits of a key are kept, which two of a million share once in 37 million files. They stand
    sorted in runs, so that there are few to look through: each at least twice as long as the next, or
    so long that sorting it together with another would need much memory.
    """

    def __init__(self) -> None:
        self._runs: list[tuple[ndarray[Any, Any], ndarray[Any, Any]]] = []

    def copy(self) -> "SeenKeys":
        """Return what is known now, apart from what is added later. Cheap: the runs themselves never change."""
        made = SeenKeys()
        made._runs = list(self._runs)
        return made

    def find(self, keys: Sequence[Any]) -> dict[Any, int]:
        """Return the lines of those keys that are known."""
        if not self._runs or not keys:
            return {}
        import numpy as np  # noqa: PLC0415 - the web process saves records, too, and does without

        wanted = np.fromiter(map(hash, keys), np.int64, len(keys))
        found: dict[Any, int] = {}
        for hashes, lines in self._runs:
            places = np.minimum(np.searchsorted(hashes, wanted), len(hashes) - 1)
            for place in np.flatnonzero(hashes[places] == wanted).tolist():
                found[keys[place]] = int(lines[places[place]])
        return found

    def add(self, lines: Mapping[Any, int]) -> None:
        """Remember keys that were not known."""
        if not lines:
            return
        import numpy as np  # noqa: PLC0415 - see above

        run = _sort(
            np.fromiter(map(hash, lines), np.int64, len(lines)),
            np.fromiter(lines.values(), np.int32, len(lines)),
        )
        while self._runs and len(self._runs[-1][0]) < min(2 * len(run[0]), LONGEST_RUN):
            hashes, earlier = self._runs.pop()
            run = _sort(np.concatenate([hashes, run[0]]), np.concatenate([earlier, run[1]]))
        self._runs.append(run)


def _sort(
    hashes: "ndarray[Any, Any]", lines: "ndarray[Any, Any]"
) -> tuple["ndarray[Any, Any]", "ndarray[Any, Any]"]:
    order = hashes.argsort(kind="stable")
    return hashes[order], lines[order]
