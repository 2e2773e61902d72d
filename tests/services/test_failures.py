"""Why a job failed is kept in English for scripts, and so that everybody reads it in their own language."""

from flask_babel import force_locale
from sqlalchemy.orm import Session

from tests.support.imports import job_of, upload
from webapp.errors import Invalid, Problem
from webapp.filters import failure
from webapp.models import TaskNotification, User
from webapp.resources.base import N_
from webapp.services import failures, job_faults


def test_a_file_that_cannot_be_read_says_so_in_the_readers_language(session: Session, editor: User) -> None:
    header = ",".join(f"c{number}" for number in range(201))
    job = job_of(upload(editor, "brands", f"{header}\n{','.join(['1'] * 201)}\n"))
    assert job.error_message == (
        "The file has 201 columns; at most 200 are allowed. Remove columns that are not needed."
    )
    with force_locale("en"):
        assert failure(job) == job.error_message
    with force_locale("pt_BR"):
        assert failure(job).startswith("O arquivo tem 201 colunas")


def test_several_problems_and_places_for_values_come_back_as_they_were() -> None:
    problems = failures.list_problems(
        Invalid(
            {
                "a": Problem(N_("“%(value)s” is not a number."), value="x\x00"),
                "b": Problem(N_("No rows."), N_("Add one.")),
            }
        )
    )
    job = TaskNotification(error_message=failures.write_message(problems).replace("\x00", "�"))
    job.error_problems = failures.to_json(problems)
    assert job.error_message == "“x�” is not a number.; No rows. Add one."
    assert [str(one) for one in failures.read_problems(job)] == ["“x�” is not a number.", "No rows. Add one."]


def test_a_message_that_was_written_later_counts_and_not_what_was_stored_before() -> None:
    stored = failures.to_json([job_faults.explain(MemoryError())])
    job = TaskNotification(error_message="Something else.", error_problems=stored)
    assert failures.read_problems(job) == []
    assert failure(job) == "Something else."
    assert failure(TaskNotification()) == ""
