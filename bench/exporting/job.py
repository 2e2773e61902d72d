"""``python -m bench.exporting.job FORMAT``: carry out one export as a worker does, and print what it took.

The process is warm, as a worker is after its first job: a small export of the same format goes before.
"""

import gc
import json
import sys
import time

from sqlalchemy import select

from webapp import create_app
from webapp.extensions import db
from webapp.models import TaskNotification, User
from webapp.services import job_protocol
from webapp.services.export_requests import request_export
from webapp.services.exports import run_export
from webapp.services.files import delete


def carry_out(actor: User, resource: str, file_format: str) -> dict[str, float]:
    """Ask for an export, build it, and return its rows, bytes and seconds."""
    job_id = request_export(actor, resource, file_format).id
    started = time.perf_counter()
    job_protocol.execute(job_id, run_export, lambda: False)
    seconds = time.perf_counter() - started
    db.session.rollback()
    db.session.expire_all()
    job = db.session.get_one(TaskNotification, job_id)
    if job.file_path is None:
        sys.exit(f"The export {job.status}: {job.error_message}\n{job.traceback}")
    found = {"rows": job.record_count or 0, "bytes": job.file_size or 0, "seconds": seconds}
    delete(job.file_path)
    return found


def main() -> None:
    """Warm up, then measure."""
    app = create_app()
    gc.freeze()  # as tasks/worker.py does
    with app.app_context():
        actor = db.session.scalars(select(User).limit(1)).one()
        db.session.expunge(actor)
        carry_out(actor, "categories", sys.argv[1])
        print(json.dumps(carry_out(actor, "products", sys.argv[1])))


if __name__ == "__main__":
    main()
