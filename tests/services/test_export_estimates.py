"""What is said before an export starts: how much it will be, and whether its format takes it."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from tests.support.databases import on_both_databases
from tests.support.factories import fill_shop, save, stock_up
from tests.support.houses import MakeApp, load_person
from tests.support.jobs import ask, change
from webapp.database import write_transaction
from webapp.errors import Invalid
from webapp.extensions import db
from webapp.models import JobAttempt, TaskNotification, User
from webapp.models.base import utc_now
from webapp.pipeline import formats
from webapp.pipeline.pdf_estimate import estimate_pdf
from webapp.resources.registry import RESOURCES
from webapp.services import export_requests
from webapp.services.export_estimates import estimate_export

PRODUCTS = RESOURCES["products"]


@on_both_databases
def test_the_rows_are_those_of_the_filters(session: Session) -> None:
    fill_shop()
    assert estimate_export(PRODUCTS, "csv", filters={}).rows == 3
    assert estimate_export(PRODUCTS, "csv", filters={"q": "cafe"}).rows == 1


def test_a_pdf_has_pages_and_seconds_and_fewer_columns_are_quicker(session: Session) -> None:
    save("brands", *({"name": f"Brand {number}"} for number in range(400)))
    brands = RESOURCES["brands"]
    found = estimate_export(brands, "pdf", filters={})
    assert (found.rows, found.pages, found.seconds) == (400, *estimate_pdf(400, 2))
    assert estimate_export(brands, "csv", filters={}).pages is None


def _remember(editor: User, rows: int, *, times: float, model: str = "brands") -> None:
    """Leave a finished PDF that took so many times what is expected."""
    seconds = estimate_pdf(rows, 2)[1] * times
    job_id = ask(editor, model_name=model, file_format="pdf", params={"fields": ["name", "description"]})
    now = utc_now()
    first_try, last_try = now - timedelta(hours=5), now - timedelta(seconds=seconds)
    with write_transaction() as session:
        for token, started_at in enumerate((first_try, last_try), start=1):
            session.add(JobAttempt(job_id=job_id, token=token, attempt=token, started_at=started_at))
    change(
        job_id, status="completed", record_count=rows, token=2, started_at=first_try, completed_at=utc_now()
    )


@on_both_databases
def test_earlier_runs_teach_how_quick_this_machine_is(session: Session, editor: User) -> None:
    save("brands", *({"name": f"Brand {number}"} for number in range(400)))
    expected = estimate_pdf(400, 2)[1]
    for times in (3, 3, 50):
        _remember(editor, 10_000, times=times)
    _remember(editor, 10, times=90)  # too short to teach anything
    found = estimate_export(RESOURCES["brands"], "pdf", filters={}).seconds
    assert found == pytest.approx(expected * 3, abs=1)


@on_both_databases
def test_a_pdf_over_its_limit_is_refused_before_it_starts_and_others_are_offered(make_app: MakeApp) -> None:
    app = make_app(PDF_MAX_ROWS="2")
    with app.app_context():
        stock_up("A", "B", "C")
        found = estimate_export(PRODUCTS, "pdf", filters={})
        assert "up to 2 rows" in str(found.problem)
        assert [item.name for item in found.instead] == ["csv", "xlsx", "json", "ndjson", "xml"]
        with pytest.raises(Invalid, match="up to 2 rows"):
            export_requests.request_export(load_person(app, "editor"), "products", "pdf")
        assert db.session.query(TaskNotification).count() == 0
        assert estimate_export(PRODUCTS, "pdf", filters={"serial_number": "A"}).problem is None
        export_requests.request_export(
            load_person(app, "editor"), "products", "pdf", filters={"serial_number": "A"}
        )


@on_both_databases
def test_a_sheet_takes_what_fits_under_its_header_and_not_a_row_more(
    session: Session, editor: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert formats.XLSX.max_rows == 1_048_575
    stock_up("A", "B", "C")
    for rows, is_refused in ((3, False), (2, True)):
        monkeypatch.setitem(formats.FORMATS, "xlsx", _limited(rows))
        found = estimate_export(PRODUCTS, "xlsx", filters={})
        assert (found.problem is not None) is is_refused
    with pytest.raises(Invalid, match="holds 2 rows under its header"):
        export_requests.request_export(editor, "products", "xlsx")


def _limited(rows: int) -> formats.Format:
    return replace(formats.XLSX, max_rows=rows)
