"""What became of an applied import: the counts of its job, and of those that tried corrected rows again."""

from dataclasses import dataclass

from sqlalchemy import select

from webapp.extensions import db
from webapp.models import DataImport, TaskNotification
from webapp.services.import_errors import count_failed_rows


@dataclass(frozen=True)
class ImportResult:
    """Rows by what became of them, and how long that took. ``failed`` are those that still wait."""

    created: int
    updated: int
    unchanged: int
    failed: int
    seconds: float

    @property
    def rows(self) -> int:
        """Return how many rows there were."""
        return self.created + self.updated + self.unchanged + self.failed

    @property
    def rate(self) -> int | None:
        """Return the rows a second, where it took long enough to tell."""
        return round(self.rows / self.seconds) if self.seconds >= 1 else None


def get_result(data_import: DataImport) -> ImportResult:
    """Return the sums of all the jobs that saved rows of this import."""
    query = select(TaskNotification).where(
        TaskNotification.data_import_id == data_import.id, TaskNotification.task_type == "import"
    )
    jobs = db.session.scalars(query).all()
    return ImportResult(
        created=sum(job.created for job in jobs),
        updated=sum(job.updated for job in jobs),
        unchanged=sum(job.unchanged for job in jobs),
        failed=count_failed_rows(data_import),
        seconds=sum(
            (job.completed_at - job.started_at).total_seconds()
            for job in jobs
            if job.completed_at and job.started_at
        ),
    )
