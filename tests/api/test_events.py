"""The event log for scripts: one's own, in order, from a cursor on."""

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import delete

from tests.support.api import Caller
from tests.support.databases import on_both_databases
from tests.support.houses import load_person
from webapp import live
from webapp.database import write_transaction
from webapp.models import Event
from webapp.services import events


def publish(app: Flask, *audiences: str) -> None:
    """Publish one event for each audience, which it names."""
    with app.app_context():
        for audience in audiences:
            with write_transaction() as session:
                live.publish(session, audience, live.STOCK_LOW, {"to": audience})


def read(caller: Caller, path: str) -> dict[str, Any]:
    """Return a page of events."""
    answer = caller.get(path)
    assert answer.status_code == 200
    return dict(answer.get_json())


@on_both_databases
def test_one_gets_what_concerns_one_and_nothing_of_others(app: Flask) -> None:
    caller = Caller(app, "editor")
    begin = read(caller, "/events")
    assert (begin["items"], begin["next"], begin["is_complete"]) == ([], None, True)
    own = live.user_audience(load_person(app, "editor").id)
    other = live.user_audience(load_person(app, "stranger").id)
    publish(app, own, other, live.EVERYONE, live.role_audience("editor"), live.role_audience("admin"))
    page = read(caller, f"/events?after={begin['last_id']}")
    assert [item["data"]["to"] for item in page["items"]] == [own, live.EVERYONE, "role:editor"]
    assert {item["name"] for item in page["items"]} == {live.STOCK_LOW}
    assert all(item["at"].endswith("Z") for item in page["items"])
    with app.app_context():
        assert page["last_id"] == events.find_newest_id()  # that of somebody else, so that nobody looks again
    assert read(caller, f"/events?after={page['last_id']}")["items"] == []


@on_both_databases
def test_pages_follow_one_another_without_gaps_or_repeats(app: Flask) -> None:
    caller = Caller(app, "viewer")
    after = read(caller, "/events")["last_id"]
    publish(app, *[live.EVERYONE, live.role_audience("admin")] * 5)
    url, sizes, seen = f"/events?after={after}&limit=2", [], []
    while url:
        page = read(caller, url)
        sizes.append(len(page["items"]))
        seen += [item["id"] for item in page["items"]]
        url = page["next"]
    assert sizes == [2, 2, 1]
    assert seen == sorted(set(seen))


@on_both_databases
def test_a_cursor_older_than_what_is_kept_is_told(app: Flask) -> None:
    caller = Caller(app, "viewer")
    after = read(caller, "/events")["last_id"]
    publish(app, *[live.EVERYONE] * 3)
    first, second, third = (item["id"] for item in read(caller, f"/events?after={after}")["items"])
    with app.app_context(), write_transaction() as session:
        session.execute(delete(Event).where(Event.id <= second))
    page = read(caller, f"/events?after={first}")
    assert ([item["id"] for item in page["items"]], page["is_complete"]) == ([third], False)
    assert read(caller, f"/events?after={second}")["is_complete"] is True


def test_a_cursor_from_the_future_is_the_newest(app: Flask) -> None:
    publish(app, live.EVERYONE)
    caller = Caller(app, "viewer")
    begin = read(caller, "/events")
    assert read(caller, "/events?after=999999999") == begin


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("after=x", "after"),
        ("after=-1", "after"),
        (f"after={2**63}", "after"),
        ("limit=0", "limit"),
        ("limit=501", "limit"),
        ("since=1", "since"),
    ],
)
def test_what_cannot_be_used_is_named(app: Flask, query: str, field: str) -> None:
    answer = Caller(app, "viewer").get(f"/events?{query}")
    assert answer.status_code == 422
    assert answer.get_json()["errors"][0]["field"] == field
