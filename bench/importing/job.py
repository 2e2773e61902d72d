"""``python -m bench.importing.job check|apply RESOURCE FILE …``: carry imports out as a worker does.

Prints a line of JSON a file: how the rows ended, how many signals somebody heard, and the seconds: of an
import from the file to the last commit, its inspection included; of a check those of the check alone.
The process is warm from the second file on.
"""

import gc
import json
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

from sqlalchemy import select

from webapp import create_app
from webapp.database import write_transaction
from webapp.extensions import db
from webapp.models import DataImport, TaskNotification, User
from webapp.resources.registry import get_resource
from webapp.services import import_apply, imports, job_protocol
from webapp.services.signals import record_saved, stock_moved

heard: Counter[str] = Counter()


def hear_saved(_sender: str, **_: Any) -> None:
    """Count a saved row."""
    heard["record_saved"] += 1


def hear_moved(_sender: str, **_: Any) -> None:
    """Count a movement of stock."""
    heard["stock_moved"] += 1


def carry_out(actor: User, resource: str, file: Path, *, is_dry: bool) -> dict[str, Any]:
    """Import one file, or check it, and return what was found."""
    heard.clear()
    started = time.perf_counter()
    with file.open("rb") as stream:
        made = imports.create_import(actor, resource, stream, file.name, inspect=False)
    with write_transaction() as session:
        found = session.get_one(DataImport, made.id)
        found.options = imports.check_options(get_resource(resource), {"dry_run": is_dry})
        job_id = imports.start_job(session, actor, found, "import", at_once=True).id
    job_protocol.execute(job_id, import_apply.run_import, lambda: False)
    seconds = time.perf_counter() - started
    db.session.rollback()
    db.session.expire_all()
    job = db.session.get_one(TaskNotification, job_id)
    if job.status != "completed":
        sys.exit(f"The import of {file.name} {job.status}: {job.error_message}\n{job.traceback}")
    if is_dry:
        report = db.session.get_one(DataImport, made.id).report or {}
        seconds = report["check"]["seconds"]
    counts = {name: getattr(job, name) for name in ("created", "updated", "unchanged", "failed")}
    return {"resource": resource, "seconds": seconds, **counts, **heard}


def main() -> None:
    """Import the files one after the other."""
    mode, *rest = sys.argv[1:]
    record_saved.connect(hear_saved)
    stock_moved.connect(hear_moved)
    app = create_app()
    gc.freeze()  # as tasks/worker.py does
    with app.app_context():
        actor = db.session.scalars(select(User).limit(1)).one()
        db.session.expunge(actor)
        for resource, file in zip(rest[::2], rest[1::2], strict=True):
            print(json.dumps(carry_out(actor, resource, Path(file), is_dry=mode == "check")), flush=True)


if __name__ == "__main__":
    main()
