"""``python -m bench.imports``: how fast an import is, signals and errors by row included, against its rivals."""

import argparse
import json
import os
import statistics
import sys
import tempfile
import urllib.parse
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from bench.houses import DATABASES, open_house
from bench.importing.data import write_outflows, write_parents, write_products, write_stock
from bench.importing.pages import watch_pages
from bench.measure import Measurement, run_measured
from bench.peers import BENCH, get_peers_python
from bench.report import Figure, at_least, at_most, show

PARTS = ("rivals", "bad", "check", "million")
KINDS = ("products", "outflows")
TIMES_DJANGO = {"postgresql": 25, "sqlite": 12}
SHARE_OF_COPY = 0.5
CHECK_ROWS_A_SECOND = 50_000
BAD_SHARE, BAD_COST = 0.01, 2
MILLION = 1_000_000
PEAK_MB, GROWTH = 300, 1.15
SLOWEST_PAGE_MS = 200

Environment = Mapping[str, str]
Rates = dict[str, float]


@dataclass(frozen=True, slots=True)
class Files:
    """A folder with the files of one size."""

    folder: Path
    rows: int

    @property
    def parents(self) -> list[str]:
        """What is imported before products, as arguments of the job."""
        return self._name("categories", "brands", "product_models")

    @property
    def products(self) -> list[str]:
        """The products, as arguments of the job."""
        return self._name("products")

    @property
    def sales(self) -> list[str]:
        """The deliveries of what is sold, and the outflows."""
        return self._name("inflows", "outflows")

    def _name(self, *resources: str) -> list[str]:
        return [part for name in resources for part in (name, str(self.folder / f"{name}.csv"))]

    def rates_of(self, measured: Measurement) -> Rates:
        """Return the rows a second of products and outflows."""
        found = map(json.loads, measured.output.splitlines())
        return {one["resource"]: self.rows / one["seconds"] for one in found if one["resource"] in KINDS}


def make_files(folder: Path, rows: int, bad: float = 0) -> Files:
    """Write all files of one size."""
    folder.mkdir()
    write_parents(folder)
    write_products(folder / "products.csv", rows, bad)
    write_stock(folder / "inflows.csv", rows)
    write_outflows(folder / "outflows.csv", rows, rows, bad)
    return Files(folder, rows)


def run_job(environment: Environment, mode: str, arguments: list[str]) -> Measurement:
    """Import files, or check them, in a process of its own."""
    return run_measured([sys.executable, "-m", "bench.importing.job", mode, *arguments], environment)


def import_all(database: str, files: Files) -> Rates:
    """Import products, then outflows, into an empty house."""
    with open_house(database) as environment:
        return files.rates_of(run_job(environment, "apply", [*files.parents, *files.products, *files.sales]))


def copy_all(database: str, files: Files) -> Rates:
    """Let the database alone do it."""
    with open_house(database) as environment:
        run_job(environment, "apply", files.parents)
        command = [sys.executable, "-m", "bench.importing.copying", files.products[1], files.sales[-1]]
        return files.rates_of(run_measured(command, environment))


def run_django(database: str, files: Files) -> Rates:
    """Let django-import-export do it, into tables of its own."""
    with open_house(database) as environment:
        command = [
            get_peers_python(),
            str(BENCH / "importing" / "django_shop.py"),
            *_place_of(environment),
            str(files.folder),
        ]
        return files.rates_of(run_measured(command, environment))


def _place_of(environment: Environment) -> tuple[str, str]:
    url = urllib.parse.urlsplit(environment["DATABASE_URL"])
    if not url.scheme:
        return "sqlite", os.path.join(environment["DATA_DIR"], "peer.db")  # noqa: PTH118 - one word for another program
    return "postgresql", urllib.parse.parse_qs(url.query)["host"][0]


def compare(database: str, files: Files, peer: Files, rounds: int) -> Iterator[Figure]:
    """Compare with both rivals in turns, so that whoever else uses the machine slows all alike."""
    runs = [
        (import_all(database, files), run_django(database, peer), copy_all(database, files))
        for _ in range(rounds)
    ]
    for kind in KINDS:
        for place, name in enumerate(("ours", "django-import-export", "COPY and one statement")):
            rate = statistics.median(run[place][kind] for run in runs)
            yield Figure(f"{database}: {kind}, {name}", rate, "rows/s")
        against = statistics.median(ours[kind] / django[kind] for ours, django, _ in runs)
        yield at_least(f"{database}: {kind} against django-import-export", against, TIMES_DJANGO[database])
        share = statistics.median(ours[kind] / copied[kind] for ours, _, copied in runs)
        yield at_least(f"{database}: {kind} against COPY (a goal)", share, SHARE_OF_COPY)


def compare_bad(database: str, good: Files, bad: Files) -> Iterator[Figure]:
    """Compare files in which one row of a hundred is bad with those in which none is."""
    ours, theirs = import_all(database, good), import_all(database, bad)
    for kind in KINDS:
        name = f"{database}: time of {kind} with {BAD_SHARE:.0%} bad rows over that with none"
        yield at_most(name, ours[kind] / theirs[kind], BAD_COST, "×")


def measure_check(database: str, files: Files) -> Iterator[Figure]:
    """Check products in a house that has none of them, and again when it has them all; then their sales."""
    with open_house(database) as environment:
        run_job(environment, "apply", files.parents)
        fresh = files.rates_of(run_job(environment, "check", [*files.parents, *files.products]))
        run_job(environment, "apply", [*files.products, *files.sales[:2]])
        known = files.rates_of(
            run_job(environment, "check", [*files.products, *files.products, *files.sales])
        )
    for name, rate in (
        ("new products", fresh["products"]),
        ("known products", known["products"]),
        ("outflows", known["outflows"]),
    ):
        yield at_least(f"{database}: check of {name}", rate, CHECK_ROWS_A_SECOND, "rows/s")


def measure_million(database: str, few: Files, many: Files) -> Iterator[Figure]:
    """Import a million sales while somebody looks at the dashboard; compare the memory with that of fewer."""
    peaks = []
    for files in (few, many):
        with open_house(database) as environment:
            run_job(environment, "apply", [*few.parents, *few.products, *few.sales[:2]])
            with watch_pages(environment) as pages:
                measured = run_job(environment, "apply", files.sales[2:])
        peaks.append(measured.peak_mb)
    yield Figure(f"{database}: {many.rows:,} outflows", many.rates_of(measured)["outflows"], "rows/s")
    yield at_most(f"{database}: memory of the worker", peaks[-1], PEAK_MB, "MiB")
    yield at_most(f"{database}: the same over that of {few.rows:,} rows", peaks[-1] / peaks[0], GROWTH, "×")
    yield at_most(f"{database}: p99 of the dashboard meanwhile", pages.percentile(99), SLOWEST_PAGE_MS, "ms")


def main() -> int:
    """Measure what was asked for; 1 when a target is missed."""
    parser = argparse.ArgumentParser(prog="python -m bench.imports", description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000, help="of each file (default: %(default)s)")
    parser.add_argument(
        "--peer-rows",
        type=int,
        default=10_000,
        help="for django-import-export, whose rate falls with the size (default: %(default)s)",
    )
    parser.add_argument(
        "--rounds", type=int, default=3, help="of every program, in turns (default: %(default)s)"
    )
    parser.add_argument("--database", choices=DATABASES, help="only this one")
    parser.add_argument(
        "--part", choices=PARTS, action="append", help="only this one (default: all but the million)"
    )
    parser.add_argument("--million", action="store_true", help="also a million rows (takes minutes more)")
    options = parser.parse_args()
    parts = {*(options.part or PARTS[:-1]), *(PARTS[-1:] if options.million else ())}
    met = True
    with tempfile.TemporaryDirectory(prefix="stockroom-bench-") as place:
        folder = Path(place)
        files = make_files(folder / "all", options.rows)
        peer = make_files(folder / "peer", options.peer_rows)
        bad = make_files(folder / "bad", options.rows, BAD_SHARE)
        many = _sell(folder / "many", files) if "million" in parts else None
        for database in [options.database] if options.database else DATABASES:
            if "rivals" in parts:
                met &= show(f"Imports, {database}", compare(database, files, peer, options.rounds))
            if "bad" in parts:
                met &= show(f"Bad rows, {database}", compare_bad(database, files, bad))
            if "check" in parts:
                met &= show(f"Check, {database}", measure_check(database, files))
            if many:
                met &= show(f"A million, {database}", measure_million(database, files, many))
    return 0 if met else 1


def _sell(folder: Path, files: Files) -> Files:
    """Write a million sales of the products of another size."""
    folder.mkdir()
    write_outflows(folder / "outflows.csv", MILLION, files.rows)
    return Files(folder, MILLION)


if __name__ == "__main__":
    sys.exit(main())
