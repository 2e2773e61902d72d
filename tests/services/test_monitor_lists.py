"""The monitor's lists: every state, every filter, page after page."""

from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from tests.support.databases import on_both_databases
from tests.support.jobs import ask, carry_out, change, claim, failing, look_at
from webapp.errors import Forbidden
from webapp.models import User
from webapp.models.base import utc_now
from webapp.models.clock import db_now
from webapp.services import monitor, monitor_lists
from webapp.services.monitor import SHOWN_STATES
from webapp.services.monitor_types import Count, JobFilter

pytestmark = on_both_databases


def ids(actor: User, **wanted: object) -> list[int]:
    """The ids of the jobs that a filter finds."""
    page = monitor.list_jobs(actor, JobFilter(**wanted))  # type: ignore[arg-type]
    return [row.job.id for row in page.rows]


def one_of_each(actor: User) -> dict[str, int]:
    """Make a job in every shown state."""
    made = {state: ask(actor, delay=60 if state == "scheduled" else 0) for state in SHOWN_STATES}
    change(made["retrying"], attempt=1, run_after=db_now(60))
    claim(made["processing"])
    claim(made["stalled"])
    change(made["stalled"], lease_until=db_now(-1))
    for status in ("completed", "failed", "cancelled"):
        change(made[status], status=status, completed_at=db_now(0))
    return made


def test_every_state_has_its_tab_and_every_job_is_in_one(session: Session, admin: User, editor: User) -> None:
    made = one_of_each(editor)
    for state in SHOWN_STATES:
        page = monitor.list_jobs(admin, JobFilter(state=state))
        assert [(row.job.id, row.state) for row in page.rows] == [(made[state], state)]
    assert monitor.get_overview(admin).counts == dict.fromkeys(SHOWN_STATES, Count(1))
    assert ids(admin) == sorted(made.values(), reverse=True)


def test_filters_combine(session: Session, admin: User, editor: User, stranger: User) -> None:
    wanted = ask(editor, "export", model_name="products")
    ask(editor, "export", model_name="brands")
    ask(stranger, "export", model_name="products")
    ask(editor, "import", model_name="products")
    found = ids(admin, task_type="export", model_name="products", user_id=editor.id, state="pending")
    assert found == [wanted]
    assert len(ids(admin, task_type="export")) == 3


def test_a_text_is_looked_for_in_what_people_know_of_a_job(
    session: Session, admin: User, editor: User
) -> None:
    named = ask(editor, params={"file_name": "Bäckerei 100%.csv"})
    failed = ask(editor)
    change(failed, status="failed", error_message="Column “price” is missing")
    assert ids(admin, text="100%.csv") == [named]
    assert ids(admin, text="PRICE") == [failed]
    assert ids(admin, text=look_at(named).task_id.upper()) == [named]
    assert ids(admin, text="100_") == []


def test_a_window_of_time_is_exact(session: Session, admin: User, editor: User) -> None:
    now, made = utc_now(), [ask(editor) for _ in range(3)]
    for job_id, hours in zip(made, (3, 2, 1), strict=True):
        change(job_id, created_at=now - timedelta(hours=hours))
    since, until = now - timedelta(hours=2), now - timedelta(hours=1)
    assert ids(admin, since=since) == [made[2], made[1]]
    assert ids(admin, until=until) == [made[1], made[0]]
    assert ids(admin, since=since, until=until) == [made[1]]
    assert ids(admin, since=now + timedelta(hours=1)) == []


def test_pages_follow_each_other_without_gap_or_double(session: Session, admin: User, editor: User) -> None:
    made = [ask(editor) for _ in range(7)]
    seen: list[int] = []
    cursor = None
    for size in (3, 3, 1):
        page = monitor.list_jobs(admin, JobFilter(), cursor, limit=3)
        assert len(page.rows) == size
        seen += [row.job.id for row in page.rows]
        cursor = page.next_cursor
    assert (seen, cursor) == (made[::-1], None)


def test_a_search_without_an_index_is_bounded_and_says_so(
    session: Session, admin: User, editor: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = [ask(editor, model_name="products") for _ in range(5)]
    monkeypatch.setattr(monitor_lists, "SEARCHED_JOBS", 2)
    page = monitor.list_jobs(admin, JobFilter(text="products"))
    assert ([row.job.id for row in page.rows], page.is_bounded) == (made[:1:-1], True)
    page = monitor.list_jobs(admin, JobFilter(model_name="products"))
    assert (len(page.rows), page.is_bounded) == (5, False)


def test_counts_stop_at_a_cap(
    session: Session, admin: User, editor: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(3):
        ask(editor)
    assert monitor.count_matching(admin, JobFilter()) == Count(3)
    monkeypatch.setattr(monitor_lists, "COUNT_CAP", 2)
    assert monitor.count_matching(admin, JobFilter()) == Count(2, is_capped=True)


def test_the_filter_offers_what_there_is(session: Session, admin: User, editor: User) -> None:
    ask(editor, "export", model_name="products")
    ask(editor, "import", model_name="brands")
    choices = monitor.list_choices(admin)
    assert (choices.task_types, choices.model_names) == (["export", "import"], ["brands", "products"])
    assert (editor.id, editor.email) in choices.users


def test_failures_are_grouped_by_kind_and_cause(session: Session, admin: User, editor: User) -> None:
    for number in range(3):
        job_id = ask(editor, "export")
        carry_out(job_id, failing(ValueError(f"row {number}")))
    other = ask(editor, "import")
    carry_out(other, failing(ValueError("row 7")))
    old = ask(editor)
    change(old, status="failed", completed_at=db_now(-25 * 3600))
    since = utc_now() - timedelta(hours=24)
    groups = monitor.list_failures(admin, since)
    assert [(group.task_type, group.count) for group in groups] == [("export", 3), ("import", 1)]
    assert groups[0].first_at <= groups[0].last_at


def test_the_jobs_of_a_group_are_as_many_as_it_says_whenever_they_were_asked_for(
    session: Session, admin: User, editor: User
) -> None:
    late, early, gone = (ask(editor, "export") for _ in range(3))
    for job_id in (late, early, gone):
        carry_out(job_id, failing(ValueError("the same")))
    change(late, created_at=db_now(-48 * 3600))  # asked for long ago, failed just now
    change(gone, completed_at=db_now(-25 * 3600))
    since = utc_now() - timedelta(hours=24)
    (group,) = monitor.list_failures(admin, since)
    wanted = JobFilter(state="failed", task_type="export", fingerprint=group.fingerprint, ended_since=since)
    page = monitor.list_jobs(admin, wanted)
    assert [row.job.id for row in page.rows] == [early, late]
    assert (group.count, monitor.count_matching(admin, wanted)) == (2, Count(2))


def test_own_jobs_are_filtered_and_nobody_elses_are_seen(
    session: Session, admin: User, editor: User, stranger: User
) -> None:
    made = one_of_each(editor)
    foreign = ask(stranger)
    for state in SHOWN_STATES:
        page = monitor.list_own_jobs(editor, JobFilter(state=state, user_id=stranger.id))
        assert [row.job.id for row in page.rows] == [made[state]]
    assert [row.job.id for row in monitor.list_own_jobs(stranger, JobFilter()).rows] == [foreign]
    assert monitor.list_own_jobs(admin, JobFilter()).rows == []


def test_a_list_is_for_administrators(session: Session, editor: User) -> None:
    questions = (
        lambda: monitor.list_jobs(editor, JobFilter()),
        lambda: monitor.count_matching(editor, JobFilter()),
        lambda: monitor.list_choices(editor),
        lambda: monitor.get_overview(editor),
        lambda: monitor.get_job_detail(editor, "x"),
        lambda: monitor.list_logs(editor),
        lambda: monitor.list_consumers(editor),
        lambda: monitor.list_schedules(editor),
        lambda: monitor.list_failures(editor, utc_now()),
    )
    for question in questions:
        with pytest.raises(Forbidden):
            question()
