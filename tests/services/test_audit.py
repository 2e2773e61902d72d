"""The audit: what changed, before and after, in the words of people; and that nothing is taken from it."""

from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import delete, select, update
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.orm import Session

from tests.support.databases import counted_queries, on_both_databases
from tests.support.factories import product, save, stock_up
from webapp.database import write_transaction
from webapp.errors import Forbidden
from webapp.extensions import db
from webapp.models import Change, User
from webapp.models.base import utc_now
from webapp.resources.registry import get_resource
from webapp.services import audit
from webapp.services.audit import ChangeFilter, list_changes, list_history
from webapp.services.record_removal import remove_records
from webapp.services.records import SaveContext


@on_both_databases
@pytest.mark.parametrize("statement", [update(Change).values(source="else"), delete(Change)])
def test_the_database_itself_refuses_to_change_the_past(session: Session, statement: object) -> None:
    stock_up("A")
    with pytest.raises(DBAPIError, match="Changes are only ever added"), write_transaction() as writing:
        writing.execute(statement)  # type: ignore[call-overload]
    db.session.rollback()
    assert set(db.session.scalars(select(Change.source))) == {"test"}


@on_both_databases
def test_the_database_itself_keeps_who_has_changed_something(
    session: Session, admin: User, viewer: User
) -> None:
    save("brands", {"name": "Acme"}, actor_id=admin.id)
    with pytest.raises(IntegrityError), write_transaction() as writing:
        writing.execute(delete(User).where(User.id == admin.id))
    with write_transaction() as writing:
        writing.execute(delete(User).where(User.id == viewer.id))
    assert set(db.session.scalars(select(User.id))) >= {admin.id}


@on_both_databases
def test_a_change_is_told_in_labels_types_and_names(session: Session, admin: User) -> None:
    stock_up("A")
    save("categories", {"name": "Toys"})
    changes = {"serial_number": "A", "category": "Toys", "sell_price": Decimal("5.25")}
    save("products", changes, actor_id=admin.id, source="form")
    entry = list_changes(admin, ChangeFilter(action="updated")).rows[0]
    assert (entry.title, entry.exists, entry.origin.user) == ("Product A", True, admin.email)
    assert [(edit.name, edit.before, edit.after) for edit in entry.edits] == [
        ("category_id", "Tools", "Toys"),
        ("sell_price", Decimal("4.9"), Decimal("5.25")),
    ]


@on_both_databases
def test_a_deleted_record_keeps_its_name_and_its_history(session: Session, viewer: User) -> None:
    (made,) = save("brands", {"name": "Acme"})
    with write_transaction() as writing:
        remove_records(writing, get_resource("brands"), [made.record_id], SaveContext(None, "form"))
    rows = list_history(viewer, "brands", made.record_id).rows
    assert [(row.action, row.title, row.exists) for row in rows] == [
        ("deleted", "Acme", False),
        ("created", "Acme", False),
    ]


def test_only_administrators_see_what_everybody_did(session: Session, viewer: User, editor: User) -> None:
    for person in (viewer, editor):
        with pytest.raises(Forbidden):
            list_changes(person, ChangeFilter())


def test_every_filter_narrows(session: Session, admin: User, editor: User) -> None:
    save("brands", {"name": "One"}, actor_id=editor.id, source="form")
    save("suppliers", {"name": "Two"}, actor_id=admin.id, source="api")
    tomorrow = utc_now() + timedelta(days=1)
    narrowed = [
        ChangeFilter(resource="suppliers"),
        ChangeFilter(source="api"),
        ChangeFilter(user_id=admin.id),
        ChangeFilter("suppliers", audit.find_record_ids("suppliers", "TWO")),
    ]
    for wanted in narrowed:
        assert [row.title for row in list_changes(admin, wanted).rows] == ["Two"], wanted
    assert list_changes(admin, ChangeFilter(action="deleted")).rows == []
    assert list_changes(admin, ChangeFilter(since=tomorrow)).rows == []
    assert len(list_changes(admin, ChangeFilter(until=tomorrow)).rows) == 2


def test_a_rare_change_is_found_step_by_step(
    session: Session, admin: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    save("suppliers", {"name": "Rare"})
    save("brands", *({"name": f"Brand {number}"} for number in range(25)))
    monkeypatch.setattr(audit, "LOOKED_AT", 10)
    cursor, steps, found = None, 0, []
    while True:
        page = list_changes(admin, ChangeFilter(resource="suppliers"), cursor)
        found += [row.title for row in page.rows]
        steps += 1
        if page.next_cursor is None:
            break
        assert page.is_bounded
        cursor = page.next_cursor
    assert (found, steps) == (["Rare"], 3)


def test_pages_hold_every_change_once_in_as_many_queries(session: Session, admin: User) -> None:
    stock_up("A")
    save("products", *(product(f"P-{number}") for number in range(20)))
    cursor, seen, counts = None, [], set()
    while True:
        with counted_queries() as queries:
            page = list_changes(admin, ChangeFilter(), cursor, limit=6)
        counts.add(len(queries))
        seen += [row.id for row in page.rows]
        cursor = page.next_cursor
        if cursor is None:
            break
    assert seen == sorted(set(seen), reverse=True)
    assert len(seen) == 22
    assert counts == {3}
