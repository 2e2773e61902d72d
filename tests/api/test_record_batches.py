"""Many records in one request: each with its outcome, saved once however often it is asked."""

from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from tests.support.api import Caller, ask_at_once
from tests.support.databases import on_both_databases
from tests.support.factories import heard_signals, quantity_of, save, stock_up
from tests.support.houses import MakeApp
from webapp.extensions import db
from webapp.models import Brand, Change
from webapp.services.record_batch import CHUNK
from webapp.services.signals import record_saved

NEW = {"serial_number": "B", "title": "Lamp", "category": "Tools", "cost_price": "1.50", "sell_price": "2.00"}


def send(caller: Caller, kind: str, rows: list[Any], key: str = "", **choices: Any) -> TestResponse:
    """Send records of one kind."""
    headers = {"Idempotency-Key": key} if key else {}
    return caller.post(f"/{kind}:batch", json={"records": rows, **choices}, headers=headers)


def outcomes(answer: TestResponse) -> list[str]:
    """What became of each record, after a look at the counts."""
    assert answer.status_code == 200, answer.text
    body = answer.get_json()
    found = [one["status"] for one in body["results"]]
    assert [one["line"] for one in body["results"]] == list(range(1, len(found) + 1))
    names = ("created", "updated", "unchanged", "failed")
    assert {name: body[name] for name in names} == {name: found.count(name) for name in names}
    return found


def errors(answer: TestResponse, line: int) -> dict[str | None, str]:
    """What is said of each field of one record."""
    one = answer.get_json()["results"][line - 1]
    assert (one["status"], one["id"]) == ("failed", None)
    return {error["field"]: error["detail"] for error in one["errors"]}


@on_both_databases
def test_every_record_has_its_own_outcome(app: Flask) -> None:
    caller = Caller(app, "editor")
    with app.app_context():
        stock_up("A", "C", quantity=5)
    answer = send(
        caller,
        "products",
        [
            NEW,
            {"serial_number": "a", "title": "Another", "description": None},
            {"serial_number": "C", "category": "TOOLS"},
            {"serial_number": "D", "title": "Lamp"},
            "no object",
            {"serial_number": "C", "sell_price": 4.9, "colour": "red"},
            {"title": "Without a key"},
            {"serial_number": "E", "category": "Toys", "title": "x", "cost_price": "1", "sell_price": "1"},
        ],
    )
    assert outcomes(answer) == ["created", "updated", "unchanged", *["failed"] * 5]
    assert errors(answer, 4).keys() == {"category", "cost_price", "sell_price"}
    assert errors(answer, 5) == {None: "Invalid input type."}
    assert errors(answer, 6).keys() == {"sell_price", "colour"}
    assert errors(answer, 7).keys() == {"serial_number"}
    assert "There is no category “Toys”" in errors(answer, 8)["category"]
    made = answer.get_json()["results"][0]["id"]
    assert caller.get(f"/products/{made}").get_json().items() >= NEW.items()
    with app.app_context():
        query = db.session.query(Change).filter_by(resource="products", source="api")
        assert [(one.action, one.line) for one in query.order_by(Change.id)] == [
            ("created", 1),
            ("updated", 2),
        ]


@on_both_databases
def test_stock_moves_and_signals_come_as_in_an_import(app: Flask) -> None:
    caller = Caller(app, "editor")
    with app.app_context():
        stock_up("A", quantity=10)
    rows = [{"product": "A", "quantity": number} for number in (4, 5, 3, 1)]
    with heard_signals() as heard:
        answer = send(caller, "outflows", rows)
    assert outcomes(answer) == ["created", "created", "failed", "created"]
    assert "Only 1 of A are left" in errors(answer, 3)["quantity"]
    moves = [(said["line"], said["delta"]) for name, _kind, said in heard if name == "stock_moved"]
    assert moves == [(1, -4), (2, -5), (4, -1)]
    with app.app_context():
        assert quantity_of("A") == 0


def test_the_same_movement_twice_in_a_batch_is_counted_once(app: Flask) -> None:
    caller = Caller(app, "editor")
    with app.app_context():
        stock_up("A")
    row = {"product": "A", "reference": "PO-1", "quantity": 2}
    answer = send(caller, "inflows", [row, row | {"product": "a", "reference": "po-1"}])
    assert outcomes(answer) == ["created", "failed"]
    assert "stand on line 1" in errors(answer, 2)["reference"]
    assert outcomes(send(caller, "inflows", [row])) == ["unchanged"]
    with app.app_context():
        assert quantity_of("A") == 2


def test_a_record_twice_in_a_batch_takes_both_changes(app: Flask) -> None:
    caller = Caller(app, "editor")
    rows = [{"name": "Acme"}, {"name": "ACME", "description": "Anvils"}, {"name": "acme"}]
    assert outcomes(send(caller, "brands", rows)) == ["created", "updated", "updated"]


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        ("upsert", ["updated", "created"]),
        ("create", ["failed", "created"]),
        ("update", ["updated", "failed"]),
    ],
)
def test_the_mode_says_what_may_become_of_them(app: Flask, mode: str, expected: list[str]) -> None:
    caller = Caller(app, "editor")
    with app.app_context():
        save("brands", {"name": "Acme"})
    rows = [{"name": "Acme", "description": "New"}, {"name": "Bolt"}]
    assert outcomes(send(caller, "brands", rows, mode=mode)) == expected


def test_what_a_record_refers_to_is_created_where_that_is_asked_for(app: Flask) -> None:
    caller = Caller(app, "editor")
    assert outcomes(send(caller, "products", [NEW])) == ["failed"]
    assert outcomes(send(caller, "products", [NEW], create_missing=["category"])) == ["created"]
    refused = send(caller, "products", [NEW], create_missing=["title"])
    assert refused.status_code == 422
    assert refused.get_json()["errors"][0]["field"] == "create_missing.0"


@on_both_databases
def test_a_batch_that_broke_off_goes_on_where_it_was(app: Flask) -> None:
    app.config["PROPAGATE_EXCEPTIONS"] = False
    caller = Caller(app, "editor")
    rows: list[Any] = [{"product": "A", "quantity": 1} for _ in range(CHUNK + 20)]
    rows[3] = 7
    with app.app_context():
        stock_up("A")

    def break_off(_sender: str, **said: Any) -> None:
        if said["line"] == CHUNK + 10:
            raise ZeroDivisionError

    with record_saved.connected_to(break_off):
        assert send(caller, "inflows", rows, "night").status_code == 500
    with app.app_context():
        assert quantity_of("A") == CHUNK
    answer = send(caller, "inflows", rows, "night")
    assert outcomes(answer).count("created") == len(rows) - 1
    assert outcomes(answer)[3] == "failed"
    again = send(caller, "inflows", rows, "night")
    assert again.get_json() == answer.get_json()
    with app.app_context():
        assert quantity_of("A") == len(rows) - 1
    other = send(caller, "inflows", rows[1:], "night")
    assert other.status_code == 422
    assert other.get_json()["errors"][0]["field"] == "Idempotency-Key"


def test_reasons_are_the_same_when_they_are_asked_for_again(app: Flask) -> None:
    caller = Caller(app, "editor")
    rows = [NEW | {"category": "Toys"}, {"serial_number": "Z", "quantity": -1}]
    answer = send(caller, "products", rows, "twice")
    assert send(caller, "products", rows, "twice").get_json() == answer.get_json()
    assert outcomes(answer) == ["failed", "failed"]


@pytest.mark.parametrize("body", [{}, {"records": {}}, {"records": None}, {"records": [], "mode": "delete"}])
def test_what_is_no_batch_is_refused_as_a_whole(app: Flask, body: dict[str, Any]) -> None:
    answer = Caller(app, "editor").post("/brands:batch", json=body)
    assert answer.status_code == 422
    assert answer.get_json()["errors"][0]["field"] in {"records", "mode"}


def test_an_empty_batch_is_one(app: Flask) -> None:
    assert outcomes(send(Caller(app, "editor"), "brands", [])) == []


def test_the_house_says_how_many_may_come_at_once(make_app: MakeApp) -> None:
    app = make_app(API_BATCH_RECORDS="2", API_BATCH_MB="2")
    caller = Caller(app, "editor")
    answer = send(caller, "brands", [{"name": str(number)} for number in range(3)])
    assert answer.status_code == 422
    assert "These are 3 records; a batch takes 2 at most." in answer.get_json()["errors"][0]["detail"]
    fits = send(caller, "brands", [{"name": "A", "description": "x" * 1_500_000}])
    assert fits.status_code == 200  # more than any other body of JSON may have
    large = send(caller, "brands", [{"name": "A", "description": "x" * 2_100_000}])
    assert (large.status_code, large.mimetype) == (413, "application/problem+json")
    with app.app_context():
        assert db.session.query(Brand).count() <= 1


def test_who_may_not_write_does_not_send_a_large_body_either(app: Flask) -> None:
    answer = send(Caller(app, "viewer"), "brands", [{"name": "A" * 2_000_000}])
    assert answer.status_code == 403


@on_both_databases
def test_batches_that_meet_each_other_are_all_saved(app: Flask) -> None:
    callers = [Caller(app, "editor") for _ in range(4)]
    names = [f"Brand {number}" for number in range(30)]
    with app.app_context():
        stock_up("A", "B", quantity=100)

    def send_both(caller: Caller) -> TestResponse:
        order = 1 if callers.index(caller) % 2 else -1
        assert (
            outcomes(send(caller, "brands", [{"name": name} for name in names[::order]])).count("failed") == 0
        )
        rows = [{"product": serial, "quantity": 1} for serial in "AB"[::order] * 5]
        return send(caller, "outflows", rows)

    for answer in ask_at_once(callers, send_both):
        assert outcomes(answer) == ["created"] * 10
    with app.app_context():
        assert db.session.query(Brand).count() == len(names)
        assert (quantity_of("A"), quantity_of("B")) == (80, 80)
