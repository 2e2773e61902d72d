"""Everything at once, at random: workers die and freeze, messages double and vanish, jobs are taken away.

Imports and exports follow one another for a minute, or for SOAK_SECONDS; SOAK_SEED does the mischief of a seed again.
"""

import io
import os
import random
import time
from dataclasses import dataclass, field

import pytest

from tests.support.factories import stock_up
from tests.support.imports import job_of, reload_import
from tests.support.jobs import look_at
from tests.support.mischief import Mischief
from tests.support.processes import wait_until
from tests.support.trials import ENDED, judge_end, judge_lines, terminal_events
from webapp import live
from webapp.models import DataImport, User
from webapp.services import exports, files, imports

pytestmark = [pytest.mark.soak, pytest.mark.integration, pytest.mark.slow]

SECONDS = float(os.environ.get("SOAK_SECONDS", "60"))
SEED = int(os.environ.get("SOAK_SEED", random.SystemRandom().randrange(10**6)))
ROWS = 1000
AT_ONCE = 3
PATIENCE = 180.0
# Crashes without progress come here as often as the dice want; so do errors, at a broker that is away.
WORKER = {"BATCH_SECONDS": "30", "MAX_CRASHES": "1000"}


@dataclass
class Shift:
    """The jobs of a soak: those under way, and what was wrong with those that ended."""

    actor: User
    uploads: list[DataImport] = field(default_factory=list)
    imports: list[int] = field(default_factory=list)
    exports: list[int] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    sold: int = 0
    ended: int = 0

    def ask_for_more(self) -> None:
        """Keep so many imports under way, each with an export beside it."""
        while len(self.uploads) + len(self.imports) < AT_ONCE:
            sales = io.BytesIO(b"product,quantity\n" + b"A,1\n" * ROWS)
            self.uploads.append(imports.create_import(self.actor, "outflows", sales, "sales.csv"))
            self.exports.append(exports.request_export(self.actor, "products", "csv").id)

    def move_on(self) -> None:
        """Check the files that were read, start the imports that were checked, and judge the jobs that have ended."""
        for made in map(reload_import, list(self.uploads)):
            if made.state == "inspected" and job_of(made).is_final:
                imports.start_check(self.actor, made.public_id, made.mapping or {}, {})
            elif made.state == "checked":
                self.uploads = [one for one in self.uploads if one.id != made.id]
                job = imports.start_import(self.actor, made.public_id, confirm_repeat=True)
                self.imports.append(job.id)
        for job_id in [one for one in self.imports if look_at(one).status in ENDED]:
            self.imports.remove(job_id)
            self._take(job_id, judge_end(job_id, ROWS) + judge_lines(job_id, ROWS))
            self.sold += ROWS
        for job_id in [one for one in set(self.exports) if look_at(one).status in ENDED]:
            self.exports = [one for one in self.exports if one != job_id]
            self._take(job_id, _judge_export(job_id))

    def _take(self, job_id: int, problems: list[str]) -> None:
        self.ended += 1
        self.problems += [f"job {job_id}: {problem}" for problem in problems]

    def list_jobs(self) -> list[int]:
        """The jobs to which something can be done: those of files that are read and checked, too."""
        return [*(job_of(made).id for made in self.uploads), *self.imports, *self.exports]

    def is_over(self) -> bool:
        """Whether nothing is under way any more."""
        self.move_on()
        return not (self.uploads or self.imports or self.exports)


def _judge_export(job_id: int) -> list[str]:
    job = look_at(job_id)
    found = (job.status, terminal_events(job), files.is_kept(job.file_path or "exports/none"))
    return [] if found == ("completed", [live.JOB_COMPLETED], True) else [f"the export: {found}"]


@pytest.mark.parametrize("database", ["sqlite", "postgresql"], indirect=True)
def test_34_a_random_soak_is_exact(
    request: pytest.FixtureRequest, database: str, editor: User, admin: User
) -> None:
    """On SQLite with its own queue, on PostgreSQL with a Redis that fails, too."""
    is_redis = database == "postgresql"
    trial = request.getfixturevalue("broker_trial" if is_redis else "trial")
    broker = request.getfixturevalue("broker") if is_redis else None
    print(f"SOAK_SEED={SEED} SOAK_SECONDS={SECONDS:g}")  # noqa: T201 - to do the same mischief again
    dice = random.Random(SEED)  # noqa: S311
    mischief, shift = Mischief(trial, dice, admin, broker), Shift(editor)
    trial.stocked = 10**7
    stock_up("A", quantity=trial.stocked)
    until = time.monotonic() + SECONDS
    while time.monotonic() < until:
        if not trial.workers or trial.workers[-1].process.poll() is not None:
            trial.start_worker(batch_rows=5, **WORKER)
        shift.ask_for_more()
        time.sleep(dice.uniform(0.3, 2.5))
        mischief.do(shift.list_jobs())
        shift.move_on()
    trial.start_worker(**WORKER)
    wait_until(shift.is_over, lambda: f"under way for ever: {shift}\n{trial.stack.tails()}", PATIENCE)
    print(f"{shift.ended} jobs were done under {len(mischief.done)} deeds")  # noqa: T201
    assert shift.problems == []
    assert trial.judge_stock(shift.sold) == []
