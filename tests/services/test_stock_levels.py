"""A product that becomes low is told once, by whatever path its pieces go."""

import threading
from contextvars import Context
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from tests.support.databases import on_both_databases
from tests.support.factories import actions, product, quantity_of, save
from tests.support.imports import apply, undo, upload
from webapp import live
from webapp.database import write_transaction
from webapp.extensions import db
from webapp.models import Event, Inflow, User
from webapp.models.base import utc_now
from webapp.resources.registry import get_resource
from webapp.services import news, notices
from webapp.services.record_removal import remove_records
from webapp.services.records import SaveContext

pytestmark = [on_both_databases, pytest.mark.slow]


@pytest.fixture
def shop(session: Session) -> Session:
    """A shop in which products are low at 5 pieces."""
    save("categories", {"name": "Tools"})
    save("products", *(product(number, quantity=8, reorder_level=5) for number in ("A", "B", "C")))
    return session


def sell(product_name: str, quantity: int, reference: str | None = None) -> list[str]:
    return actions(save("outflows", {"reference": reference, "product": product_name, "quantity": quantity}))


def told() -> list[dict[str, Any]]:
    """What the browsers were told of low stock, in order."""
    db.session.rollback()
    query = select(Event.data).where(Event.name == live.STOCK_LOW).order_by(Event.id)
    return list(db.session.scalars(query))


def counts(actor: User) -> list[int]:
    """How many products each notice of a person is about, newest first."""
    db.session.rollback()
    return [notice.count for notice in notices.list_notices(actor)]


def test_it_is_told_when_the_quantity_falls_to_the_level_and_not_again_below_it(shop: Session) -> None:
    sell("A", 2)
    assert told() == []
    sell("A", 1)
    assert [item["count"] for item in told()] == [1]
    sell("A", 1)
    sell("A", 4)
    assert (quantity_of("A"), len(told())) == (0, 1)


def test_it_is_told_again_only_after_it_was_above(shop: Session) -> None:
    sell("A", 4)
    save("inflows", {"product": "A", "quantity": 1})
    sell("A", 1)
    assert len(told()) == 1
    save("inflows", {"product": "A", "quantity": 2})
    sell("A", 1)
    assert len(told()) == 2


def test_down_and_up_again_in_one_transaction_is_no_news(shop: Session) -> None:
    with write_transaction():
        save("outflows", {"product": "A", "quantity": 8})
        save("inflows", {"product": "A", "quantity": 8})
    assert (quantity_of("A"), told()) == (8, [])


def test_up_and_down_again_in_one_transaction_is_no_news(shop: Session) -> None:
    sell("A", 4)
    with write_transaction():
        save("inflows", {"product": "A", "quantity": 8})
        save("outflows", {"product": "A", "quantity": 8})
    assert (quantity_of("A"), len(told())) == (4, 1)


def test_what_is_rolled_back_is_told_nobody(shop: Session) -> None:
    def fail() -> None:
        with write_transaction():
            save("outflows", {"product": "A", "quantity": 8})
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    with write_transaction() as session:
        point = session.begin_nested()
        save("outflows", {"product": "A", "quantity": 8})
        point.rollback()
    assert (quantity_of("A"), told()) == (8, [])


def test_a_new_product_that_is_low_from_the_start_has_fallen_from_nowhere(shop: Session) -> None:
    save("products", product("D", quantity=1, reorder_level=5))
    assert told() == []


def test_taking_a_delivery_away_or_correcting_it_is_a_fall_too(shop: Session) -> None:
    save("inflows", {"reference": "P-1", "product": "A", "quantity": 8})
    save("outflows", {"reference": "S-1", "product": "A", "quantity": 9})
    save("outflows", {"reference": "S-1", "product": "A", "quantity": 12})
    assert len(told()) == 1
    save("outflows", {"reference": "S-1", "product": "A", "quantity": 3})
    delivery = shop.scalars(select(Inflow.id).where(Inflow.reference == "P-1")).one()
    with write_transaction() as session:
        assert not remove_records(session, get_resource("inflows"), [delivery], SaveContext(None, "form"))
    assert (quantity_of("A"), len(told())) == (5, 2)


def test_editors_find_a_notice_that_says_which_and_viewers_none(
    shop: Session, admin: User, editor: User, viewer: User
) -> None:
    sell("A", 4)
    for person in (admin, editor):
        (notice,) = notices.list_notices(person)
        assert (notice.kind, notice.count, notice.is_read) == ("stock_low", 1, False)
        assert {name: notice.data[name] for name in ("serial_number", "quantity", "reorder_level")} == {
            "serial_number": "A",
            "quantity": 4,
            "reorder_level": 5,
        }
        assert news.count_unread(person) == 1
    assert (notices.list_notices(viewer), news.count_unread(viewer)) == ([], 0)
    news.read_all(editor)
    assert (news.count_unread(editor), news.count_unread(admin)) == (0, 1)


def test_many_in_one_transaction_are_one_event_and_one_notice(shop: Session, editor: User) -> None:
    save("outflows", *({"product": name, "quantity": 4} for name in ("A", "B", "C")))
    assert [item["count"] for item in told()] == [3]
    assert counts(editor) == [3]


def test_an_import_is_one_notice_however_many_batches_it_has_and_so_is_its_undo(
    shop: Session, editor: User
) -> None:
    numbers = [f"N-{place}" for place in range(500)]
    save("products", *(product(number, quantity=6, reorder_level=5) for number in numbers))
    rows = "".join(f"{number},S-{number},2\n" for number in numbers)
    given = upload(editor, "outflows", "product,reference,quantity\n" + rows)
    apply(editor, given)
    assert sum(item["count"] for item in told()) == 500
    assert len(told()) > 1, "one batch shows nothing"
    assert counts(editor) == [500]
    undo(editor, given)
    assert counts(editor) == [500], "what rises is no news"
    back = "".join(f"{number},P-{number},3\n" for number in numbers)
    given = upload(editor, "inflows", "product,reference,quantity\n" + back)
    apply(editor, given)
    save("outflows", *({"product": number, "quantity": 3} for number in numbers))
    undo(editor, given)
    assert counts(editor) == [500, 500], "taking deliveries back makes products low"


def test_a_notice_that_grows_is_unread_again(shop: Session, editor: User) -> None:
    for place, name in enumerate(("A", "B")):
        save("outflows", {"product": name, "quantity": 4}, source="import", job_id=77)
        assert news.count_unread(editor) == 1, place
        news.read_all(editor)
    assert counts(editor) == [2]


def test_who_was_disabled_is_told_nothing(shop: Session, stranger: User) -> None:
    with write_transaction() as session:
        session.execute(update(User).where(User.id == stranger.id).values(is_enabled=False))
    sell("A", 8)
    assert counts(stranger) == []


def test_sales_at_the_same_time_cross_once(shop: Session, app: Flask) -> None:
    save("inflows", {"product": "A", "quantity": 32})  # 40 pieces, low at 5
    start = threading.Barrier(4)

    def sell_ten() -> None:
        with app.app_context():
            start.wait()
            for _ in range(10):
                sell("A", 1)

    threads = [threading.Thread(target=Context().run, args=(sell_ten,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (quantity_of("A"), [item["count"] for item in told()]) == (0, [1])


def test_old_notices_go(shop: Session, editor: User) -> None:
    sell("A", 8)
    (notice,) = notices.list_notices(editor)
    assert notices.prune_notices(notice.at) == 0
    assert notices.prune_notices(utc_now()) == 3, "one for each who may write"
    assert counts(editor) == []
