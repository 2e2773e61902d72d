"""Imports whose workers are killed at random moments, beside the same import left in peace."""

import os
import random
import signal
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select

from tests.support.factories import quantity_of, save, stock_up
from tests.support.imports import apply, counts, reload_import, start, upload
from tests.support.jobs import look_at, outcomes
from tests.support.processes import wait_until
from tests.support.trials import ENDED, PATIENCE, Trial
from webapp.extensions import db
from webapp.models import Change, DataImport, ImportRowError, Inflow, Outflow, Product, TaskNotification
from webapp.services import import_undo, imports, stock

PIECES = 100_000
UNTOUCHED = "B"  # the product of the import that nobody disturbs
DISTURBED = "A"


@dataclass
class Killing:
    """So many kills of whoever carries a job out, each at a random moment of its try."""

    trial: Trial
    kills: int
    longest_wait: float = 0.5

    def carry_out(self, job_id: int) -> int:
        """Let real workers do a job while they are killed; return how often one was."""
        seed = random.SystemRandom().randrange(10**6)
        print(f"seed {seed}")  # noqa: T201 - to kill at the same moments again
        dice = random.Random(seed)  # noqa: S311
        self.trial.start_worker(MAX_CRASHES="1000")
        done, token = 0, 0
        while done < self.kills:
            owner = self._wait_for_try(job_id, token)
            if owner is None:
                break
            pid, token = owner
            self._wait(job_id, dice.uniform(0, self.longest_wait), (done + 1) / (self.kills + 1))
            if look_at(job_id).token == token and look_at(job_id).status == "processing":
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
                    done += 1
        self.trial.settle(job_id, 3 * PATIENCE)
        return done

    def _wait(self, job_id: int, seconds: float, share: float) -> None:
        """Let a try work for so long, but not beyond its share: something must be left for the next kills."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            job = look_at(job_id)
            if job.total and job.processed >= share * job.total:
                return
            time.sleep(0.002)

    def _wait_for_try(self, job_id: int, after_token: int) -> tuple[int, int] | None:
        """Return process and token of the next try, or None when the job has ended."""
        wait_until(
            lambda: look_at(job_id).status in ENDED or _is_under_way(look_at(job_id), after_token),
            lambda: f"no try begins: {look_at(job_id).status} {outcomes(job_id)}",
            patience=PATIENCE,
        )
        job = look_at(job_id)
        if job.status in ENDED:
            return None
        return int(str(job.lease_owner).split(":")[1]), job.token


def _is_under_way(job: TaskNotification, after_token: int) -> bool:
    return job.status == "processing" and job.token > after_token and job.lease_owner is not None


def make_file(product: str, rows: int) -> str:
    """Return sales of which some are bad for each of several reasons, the same for every product."""
    lines = ["reference,product,quantity"]
    for number in range(rows):
        reference = f"{product}-{number - 1 if number % 13 == 1 else number}"
        quantity = "many" if number % 17 == 3 else "1000000" if number % 19 == 5 else "2"
        lines.append(f"{reference},{product},{quantity}")
    return "\n".join(lines) + "\n"


def prepare(trial: Trial, rows: int) -> tuple[DataImport, DataImport]:
    """Upload one file for each product and apply the untouched one; return the disturbed one first."""
    stock_up(DISTURBED, UNTOUCHED, quantity=PIECES)
    straight = upload(trial.actor, "outflows", make_file(UNTOUCHED, rows))
    apply(trial.actor, straight)
    return upload(trial.actor, "outflows", make_file(DISTURBED, rows)), reload_import(straight)


def start_disturbed(trial: Trial, found: DataImport) -> int:
    """Ask for the rows of the disturbed import to be saved."""
    return start(trial.actor, found).id


def compare_imports(disturbed: DataImport, straight: DataImport) -> list[str]:
    """Say how the result of one import differs from the other's."""
    first, second = _picture(disturbed, DISTURBED), _picture(straight, UNTOUCHED)
    different = [f"{name}: {first[name]} and {second[name]}" for name in first if first[name] != second[name]]
    wrong = [] if stock.verify_stock() == [] else [f"stock: {stock.verify_stock()}"]
    return different + wrong


def _picture(data_import: DataImport, product: str) -> dict[str, Any]:
    """Return all that an import has left behind, without the product's name."""
    found = reload_import(data_import)
    query = select(TaskNotification).where(TaskNotification.data_import_id == found.id)
    job = db.session.scalars(query.order_by(TaskNotification.id.desc())).first()
    assert job is not None
    errors = select(ImportRowError.line, ImportRowError.column, ImportRowError.message)
    errors = errors.where(ImportRowError.data_import_id == found.id)
    lines = select(Change.line, Change.action).where(Change.job_id == job.id).order_by(Change.id)
    sold = select(func.count(), func.sum(Outflow.quantity)).join(Product, Product.id == Outflow.product_id)
    return {
        "state": (found.state, job.status, job.processed),
        "counts": counts(job),
        "errors": [tuple(row) for row in db.session.execute(errors.order_by(ImportRowError.line))],
        "lines": [tuple(row) for row in db.session.execute(lines)],
        "outflows": tuple(db.session.execute(sold.where(Product.serial_number == product)).one()),
        "quantity": quantity_of(product),
    }


def prepare_undo(trial: Trial, rows: int) -> tuple[DataImport, DataImport]:
    """Apply inflows of both products, sell some pieces, and take the untouched import back."""
    stock_up(DISTURBED, UNTOUCHED)
    found = []
    for product in (DISTURBED, UNTOUCHED):
        text = "reference,product,quantity\n" + "".join(f"{product}-{n},{product},2\n" for n in range(rows))
        found.append(upload(trial.actor, "inflows", text))
        apply(trial.actor, found[-1])
        save("outflows", {"reference": f"{product}-S", "product": product, "quantity": rows // 2})
        save("inflows", {"reference": f"{product}-3", "product": product, "quantity": 1}, source="form")
    imports.start_undo(trial.actor, found[1].public_id)
    return found[0], found[1]


def compare_undone(disturbed: DataImport, straight: DataImport) -> list[str]:
    """Say how what one import has left behind differs from the other's, once both were taken back."""
    pictures = [
        _undone_picture(item, product) for item, product in ((disturbed, DISTURBED), (straight, UNTOUCHED))
    ]
    first, second = pictures
    return [f"{name}: {first[name]} and {second[name]}" for name in first if first[name] != second[name]]


def _undone_picture(data_import: DataImport, product: str) -> dict[str, Any]:
    found = reload_import(data_import)
    report = dict((found.report or {})["undo"])
    report.pop("job")
    left = select(Inflow.reference).join(Product, Product.id == Inflow.product_id)
    references = db.session.scalars(left.where(Product.serial_number == product).order_by(Inflow.id)).all()
    kept = import_undo.list_kept(found, limit=10_000)
    return {
        "state": found.state,
        "report": report,
        "left": [reference.split("-")[1] for reference in references],
        "kept": sorted((item.line, item.key.split("-")[1], item.message) for item in kept),
        "quantity": quantity_of(product),
        "stock": stock.verify_stock(),
    }
