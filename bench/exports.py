"""``python -m bench.exports``: how fast the export job is and how much memory it takes, against its rivals."""

import argparse
import json
import os
import shutil
import statistics
import sys
import urllib.parse
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from bench.houses import DATABASES, open_house
from bench.measure import Measurement, run_measured
from bench.peers import BENCH, get_peers_python
from bench.report import Figure, at_least, at_most, show

TEXT_FORMATS = ("csv", "json", "ndjson", "xml")
FORMATS = (*TEXT_FORMATS, "xlsx")
SHARES_OF_COPY = {"csv": 1 / 3, "json": 1 / 4, "ndjson": 1 / 4, "xml": 1 / 4}
PEAK_MB = 238  # mebibytes, which are 250 MB
MILLION = 1_000_000
PDF_ROWS = 5_000

Environment = Mapping[str, str]


@dataclass(slots=True)
class Runs:
    """Seconds of one program in each round, and the most memory that it ever took."""

    seconds: list[float] = field(default_factory=list)
    peak_mb: float = 0.0

    def add(self, measured: Measurement) -> None:
        """Take in one more round."""
        self.seconds.append(json.loads(measured.output.splitlines()[-1])["seconds"])
        self.peak_mb = max(self.peak_mb, measured.peak_mb)

    def faster_than(self, other: "Runs") -> float:
        """How many times as fast: the middle of all rounds, each of which ran both, one after the other."""
        return statistics.median(
            theirs / ours for ours, theirs in zip(self.seconds, other.seconds, strict=True)
        )


def run_job(environment: Environment, file_format: str) -> Measurement:
    """Carry out one export of all products."""
    return run_measured([sys.executable, "-m", "bench.exporting.job", file_format], environment)


def run_rival(environment: Environment, name: str) -> Measurement:
    """Let another program do it."""
    if name == "django":
        return run_measured(
            [get_peers_python(), str(BENCH / "exporting" / "django_shop.py"), *_place_of(environment)],
            environment,
        )
    return run_measured([sys.executable, "-m", "bench.exporting.rivals", name], environment)


def _place_of(environment: Environment) -> tuple[str, str]:
    url = urllib.parse.urlsplit(environment["DATABASE_URL"])
    if not url.scheme:
        return "sqlite", os.path.join(environment["DATA_DIR"], "stockroom.db")  # noqa: PTH118 - one word for another program
    return "postgresql", urllib.parse.parse_qs(url.query)["host"][0]


def measure_rounds(environment: Environment, rivals: Sequence[str], rounds: int) -> dict[str, Runs]:
    """Run every format and every rival in turns, so that whoever else uses the machine slows all alike."""
    runs = {name: Runs() for name in (*FORMATS, *rivals)}
    for _ in range(rounds):
        for name in FORMATS:
            runs[name].add(run_job(environment, name))
        for name in rivals:
            runs[name].add(run_rival(environment, name))
    return runs


def list_own_exports(database: str) -> list[str]:
    """Return the database's own export, where there is a program for it."""
    if database == "postgresql":
        return ["copy"]
    return ["sqlite3"] if shutil.which("sqlite3") else []


def compare(database: str, products: int, rounds: int) -> Iterator[Figure]:
    """Compare all formats but PDF on one database."""
    rivals = [*list_own_exports(database), "xlsxwriter", "django"]
    with open_house(database, products) as environment:
        runs = measure_rounds(environment, rivals, rounds)
        pdf = Runs()
        pdf.add(run_job(environment, "pdf"))
    for name in FORMATS:
        yield Figure(f"{database}: {name}", products / statistics.median(runs[name].seconds), "rows/s")
    for name in rivals:
        yield Figure(f"{database}: {name} itself", products / statistics.median(runs[name].seconds), "rows/s")
    for name in TEXT_FORMATS if "copy" in runs else ():
        yield at_least(
            f"{database}: {name} against COPY", runs[name].faster_than(runs["copy"]), SHARES_OF_COPY[name]
        )
    if "sqlite3" in runs:
        yield Figure(f"{database}: csv against sqlite3 -csv", runs["csv"].faster_than(runs["sqlite3"]), "×")
    yield at_least(
        f"{database}: csv against django-import-export", runs["csv"].faster_than(runs["django"]), 15
    )
    yield at_least(f"{database}: xlsx of ten columns", products / min(runs["xlsx"].seconds), 20_000, "rows/s")
    yield Figure(
        f"{database}: xlsx against a loop of XlsxWriter", runs["xlsx"].faster_than(runs["xlsxwriter"]), "×"
    )
    yield Figure(f"{database}: pdf of {products:,} rows", pdf.seconds[0], "s")
    for name in FORMATS:
        yield at_most(f"{database}: memory of {name}", runs[name].peak_mb, PEAK_MB, "MiB")
    yield at_most(f"{database}: memory of pdf with its merge", pdf.peak_mb, PEAK_MB, "MiB")


def compare_pdf(rounds: int) -> Iterator[Figure]:
    """Compare a PDF with one table that WeasyPrint draws at once."""
    ours, theirs = Runs(), Runs()
    with open_house("sqlite", PDF_ROWS) as environment:
        for _ in range(rounds):
            ours.add(run_job(environment, "pdf"))
            theirs.add(run_rival(environment, "weasyprint"))
    yield at_least(f"pdf of {PDF_ROWS:,} rows against WeasyPrint at once", ours.faster_than(theirs), 3)
    yield Figure(f"pdf of {PDF_ROWS:,} rows", statistics.median(ours.seconds), "s")
    yield at_most(f"memory of a pdf of {PDF_ROWS:,} rows", ours.peak_mb, PEAK_MB, "MiB")
    yield Figure("memory of WeasyPrint at once", theirs.peak_mb, "MiB")


def compare_sizes(database: str, products: int) -> Iterator[Figure]:
    """Compare the memory for a million rows with that for fewer, and the pace with the database's own export."""
    peaks: dict[str, list[float]] = {name: [] for name in FORMATS}
    own = list_own_exports(database)
    for rows in (products, MILLION):
        with open_house(database, rows) as environment:
            runs = measure_rounds(environment, own if rows == MILLION else [], rounds=1)
        for name in FORMATS:
            peaks[name].append(runs[name].peak_mb)
    for name, run in runs.items():
        yield Figure(f"{database}: {name} of {MILLION:,}", MILLION / run.seconds[0], "rows/s")
    for name in TEXT_FORMATS if "copy" in runs else ():
        share = runs[name].faster_than(runs["copy"])
        yield at_least(f"{database}: {name} against COPY, {MILLION:,} rows", share, SHARES_OF_COPY[name])
    for name, (few, many) in peaks.items():
        yield at_most(f"{database}: memory of {name}, {MILLION:,} rows", many, PEAK_MB, "MiB")
        yield at_most(f"{database}: the same over that of {products:,}", many / few, 1.15, "×")


def main() -> int:
    """Measure what was asked for; 1 when a target is missed."""
    parser = argparse.ArgumentParser(prog="python -m bench.exports", description=__doc__)
    parser.add_argument("--products", type=int, default=100_000, help="rows (default: %(default)s)")
    parser.add_argument(
        "--rounds", type=int, default=3, help="of every program, in turns (default: %(default)s)"
    )
    parser.add_argument("--database", choices=DATABASES, help="only this one")
    parser.add_argument(
        "--million",
        action="store_true",
        help="also a million rows: memory must not grow (takes minutes more)",
    )
    options = parser.parse_args()
    met = True
    for database in [options.database] if options.database else DATABASES:
        met &= show(f"Exports, {database}", compare(database, options.products, options.rounds))
        if options.million:
            met &= show(f"Exports of a million, {database}", compare_sizes(database, options.products))
    met &= show("PDF", compare_pdf(rounds=1))
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
