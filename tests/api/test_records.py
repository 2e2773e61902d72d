from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from tests.support.api import ROOT, Caller, ask_at_once
from tests.support.databases import on_both_databases
from tests.support.factories import fill_shop, product, quantity_of, save, stock_up
from tests.support.records import ANY_VERSION, PIECES, create, make_values
from webapp.extensions import db
from webapp.models import Change
from webapp.resources.registry import RESOURCES, get_resource

KINDS = pytest.mark.parametrize("kind", RESOURCES)


def reasons(answer: TestResponse) -> dict[str | None, str]:
    """What a problem says of each field."""
    assert answer.mimetype == "application/problem+json", answer.text
    return {error["field"]: error["detail"] for error in answer.get_json()["errors"]}


def ids_of(answer: TestResponse) -> list[int]:
    assert answer.status_code == 200, answer.text
    return [item["id"] for item in answer.get_json()["items"]]


def walk(caller: Caller, address: str) -> list[dict[str, Any]]:
    """Every record of a list, page by page."""
    found: list[dict[str, Any]] = []
    following: str | None = address
    while following:
        page = caller.get(following).get_json()
        found += page["items"]
        following = page["next"]
    return found


@pytest.mark.slow
@KINDS
@on_both_databases
def test_a_record_of_every_kind_comes_goes_and_changes(app: Flask, kind: str) -> None:
    caller, resource = Caller(app, "editor"), get_resource(kind)
    sent = make_values(caller, resource)
    if kind == "products":
        sent["quantity"] = 0  # what came in refers to it, so that it would have to stay
    answer = caller.post(f"/{kind}", json=sent)
    made = answer.get_json()
    assert answer.status_code == 201, answer.text
    assert made.items() >= sent.items()
    assert list(made) == [
        "id",
        *(item.name for item in resource.fields),
        "version",
        "created_at",
        "updated_at",
    ]
    address = f"{ROOT}/{kind}/{made['id']}"
    assert answer.headers["Location"] == address
    assert answer.headers["ETag"] == f'"{made["version"]}"'

    seen = caller.get(address)
    assert seen.get_json() == made
    assert caller.get(f"/{kind}?ids={made['id']}").get_json()["items"] == [made]

    changed = caller.ask(
        "PATCH", address, json={"description": "Another"}, headers={"If-Match": seen.headers["ETag"]}
    )
    assert changed.status_code == 200, changed.text
    expected = made | {"description": "Another", "version": made["version"] + 1}
    assert changed.get_json() == expected | {"updated_at": changed.get_json()["updated_at"]}

    late = caller.ask("DELETE", address, headers={"If-Match": seen.headers["ETag"]})
    assert late.status_code == 412
    gone = caller.ask("DELETE", address, headers={"If-Match": changed.headers["ETag"]})
    assert (gone.status_code, gone.data) == (204, b"")
    assert caller.get(address).status_code == 404
    with app.app_context():
        query = db.session.query(Change).filter_by(resource=kind, record_id=made["id"])
        past = [(one.action, one.source, one.line) for one in query.order_by(Change.id)]
    assert past == [(action, "api", None) for action in ("created", "updated", "deleted")]


def test_amounts_moments_and_references_are_what_they_say(app: Flask) -> None:
    caller = Caller(app, "editor")
    with app.app_context():
        save("categories", {"name": "Tools"})
        save("brands", {"name": "Acme"}, {"name": "Bolt"})
        save("product_models", {"brand": "Acme", "name": "X-1"}, {"brand": "Bolt", "name": "X-1"})
    sent = {
        "serial_number": "A",
        "title": "Lamp",
        "category": "TOOLS",
        "brand": "bolt",
        "product_model": "x-1",
    }
    answer = caller.post(
        "/products", json=sent | {"cost_price": "0.0001", "sell_price": "99999999999999.9999"}
    )
    made = answer.get_json()
    assert (made["cost_price"], made["sell_price"]) == ("0.0001", "99999999999999.9999")
    assert (made["category"], made["brand"], made["product_model"]) == ("Tools", "Bolt", "X-1")
    assert (made["quantity"], made["reorder_level"], made["description"]) == (0, 0, None)
    moved = caller.post(
        "/inflows", json={"product": "a", "quantity": 2, "occurred_at": "2026-03-01T01:00:00+03:00"}
    )
    assert moved.get_json()["occurred_at"] == "2026-02-28T22:00:00Z"
    assert moved.get_json()["reference"] == f"IN-{moved.get_json()['id']}"
    assert moved.get_json()["unit_cost"] == "0.0001"
    assert caller.get(f"/products/{made['id']}").get_json()["quantity"] == 2


@pytest.mark.parametrize(
    ("sent", "field", "said"),
    [
        ({"sell_price": 4.9}, "sell_price", "as text"),
        ({"sell_price": "1,234.50"}, "sell_price", "“1,234.50” is no amount."),
        ({"sell_price": "$4"}, "sell_price", "“$4” is no amount."),
        ({"sell_price": "4e2"}, "sell_price", "“4e2” is no amount."),
        ({"sell_price": "4.90001"}, "sell_price", "more than four decimals"),
        ({"sell_price": "-1"}, "sell_price", "less than 0"),
        ({"quantity": "3"}, "quantity", "integer"),
        ({"quantity": True}, "quantity", "integer"),
        ({"quantity": -3}, "quantity", "less than 0"),
        ({"title": None}, "title", "null"),
        ({"title": "  "}, "title", "Title is missing."),
        ({"title": ["Lamp"]}, "title", "string"),
        ({"title": "x" * 256}, "title", "256 characters"),
        ({"category": "Toys"}, "category", "There is no category “Toys”"),
        ({"serial_number": "a"}, "serial_number", "There is already such a product."),
        ({"brand": "Acme"}, "product_model", "Choose the model too"),
        ({"colour": "red"}, "colour", "Unknown field."),
        ({"id": 7}, "id", "Unknown field."),
    ],
)
def test_what_cannot_be_taken_is_said_by_field(
    app: Flask, sent: dict[str, Any], field: str, said: str
) -> None:
    caller = Caller(app, "editor")
    with app.app_context():
        save("categories", {"name": "Tools"})
        save("products", product("A"))
    whole = {"serial_number": "B", "title": "Lamp", "category": "Tools", "cost_price": "1", "sell_price": "2"}
    answer = caller.post("/products", json=whole | sent)
    assert answer.status_code == 422
    assert said in reasons(answer)[field]
    assert len(ids_of(caller.get("/products"))) == 1


@pytest.mark.parametrize(
    "text", ["01/02/2026", "31.12.2025", "2026-02-30", "2026-01-31T25:00", "today", "45000"]
)
def test_a_moment_is_never_guessed(app: Flask, text: str) -> None:
    caller = Caller(app, "editor")
    with app.app_context():
        stock_up("A")
    answer = caller.post("/inflows", json={"product": "A", "quantity": 1, "occurred_at": text})
    assert f"“{text}” is no" in reasons(answer)["occurred_at"]
    answer = caller.get(f"/inflows?occurred_at_from={text}")
    assert f"“{text}” is no" in reasons(answer)["occurred_at_from"]


def test_everything_that_is_missing_is_named_at_once(app: Flask) -> None:
    answer = Caller(app, "editor").post("/products", json={"quantity": "many"})
    assert reasons(answer).keys() == {
        "serial_number",
        "title",
        "category",
        "cost_price",
        "sell_price",
        "quantity",
    }


def test_a_change_empties_and_keeps(app: Flask) -> None:
    caller = Caller(app, "editor")
    made = create(caller, get_resource("products"))
    address = f"/products/{made['id']}"
    sent = {"product_model": None, "description": None, "reorder_level": None, "quantity": PIECES}
    changed = caller.ask("PATCH", address, json=sent, headers=ANY_VERSION).get_json()
    emptied = {"product_model": None, "brand": None, "description": None, "reorder_level": 0}
    assert changed == made | emptied | {"version": changed["version"], "updated_at": changed["updated_at"]}
    nothing = caller.ask("PATCH", address, json={}, headers=ANY_VERSION)
    assert (nothing.status_code, nothing.get_json()) == (200, changed)
    refused = caller.ask("PATCH", address, json={"quantity": 99}, headers=ANY_VERSION)
    assert "Record an inflow or outflow" in reasons(refused)["quantity"]


@on_both_databases
def test_a_movement_moves_its_stock(app: Flask) -> None:
    caller = Caller(app, "editor")
    with app.app_context():
        save("categories", {"name": "Tools"})
        save("products", product("A", quantity=10), product("B", quantity=1))
    made = caller.post("/outflows", json={"product": "A", "quantity": 4}).get_json()
    address = f"/outflows/{made['id']}"
    assert caller.ask("PATCH", address, json={"quantity": 9}, headers=ANY_VERSION).status_code == 200
    refused = caller.ask("PATCH", address, json={"quantity": 11}, headers=ANY_VERSION)
    assert "Only 1 of A are left" in reasons(refused)["quantity"]
    refused = caller.ask("PATCH", address, json={"product": "B"}, headers=ANY_VERSION)
    assert "Only 1 of B are left" in reasons(refused)["quantity"]
    caller.ask("PATCH", address, json={"product": "B", "quantity": 1}, headers=ANY_VERSION)
    with app.app_context():
        assert (quantity_of("A"), quantity_of("B")) == (10, 0)
    assert caller.ask("DELETE", address, headers=ANY_VERSION).status_code == 204
    with app.app_context():
        assert quantity_of("B") == 1


def test_what_is_in_use_stays_and_is_said(app: Flask) -> None:
    caller = Caller(app, "editor")
    made = create(caller, get_resource("products"))
    (category,) = ids_of(caller.get("/categories"))
    answer = caller.ask("DELETE", f"/categories/{category}", headers=ANY_VERSION)
    assert answer.status_code == 409
    assert answer.get_json()["detail"] == "It is used by other records (products)."
    caller.post("/outflows", json={"product": made["serial_number"], "quantity": PIECES})
    (opening,) = ids_of(caller.get("/inflows"))
    answer = caller.ask("DELETE", f"/inflows/{opening}", headers=ANY_VERSION)
    assert answer.status_code == 409
    assert "the stock falls below zero" in answer.get_json()["detail"]


@on_both_databases
def test_nobody_s_change_is_lost(app: Flask) -> None:
    one, other = Caller(app, "editor"), Caller(app, "admin")
    made = create(one, get_resource("suppliers"))
    address = f"/suppliers/{made['id']}"
    seen = {"If-Match": one.get(address).headers["ETag"]}
    assert other.ask("PATCH", address, json={"phone": "1"}, headers=seen).status_code == 200
    for method, body in (("PATCH", {"json": {"phone": "2"}}), ("DELETE", {})):
        late = one.ask(method, address, headers=seen, **body)
        assert (late.status_code, late.get_json()["status"]) == (412, 412)
        assert "apply your change" in late.get_json()["detail"]
        blind = one.ask(method, address, **body)
        assert blind.status_code == 428
        assert "If-Match" in blind.get_json()["detail"]
        assert one.ask(method, "/suppliers/999", headers=seen, **body).status_code == 404
    assert one.get(address).get_json()["phone"] == "1"
    fresh = {"If-Match": f'"0", {one.get(address).headers["ETag"]}'}
    assert one.ask("PATCH", address, json={"phone": "2"}, headers=fresh).status_code == 200


@on_both_databases
def test_of_many_who_change_what_they_saw_at_once_one_is_first(app: Flask) -> None:
    callers = [Caller(app, "editor") for _ in range(5)]
    made = create(callers[0], get_resource("suppliers"))
    seen = {"If-Match": f'"{made["version"]}"'}

    def change(caller: Caller) -> TestResponse:
        phone = str(callers.index(caller))
        return caller.ask("PATCH", f"/suppliers/{made['id']}", json={"phone": phone}, headers=seen)

    answers = sorted(ask_at_once(callers, change), key=lambda answer: answer.status_code)
    assert [answer.status_code for answer in answers] == [200, 412, 412, 412, 412]
    assert callers[0].get(f"/suppliers/{made['id']}").get_json() == answers[0].get_json()


@on_both_databases
def test_the_same_key_many_times_at_once_makes_one_record(app: Flask) -> None:
    callers = [Caller(app, "editor") for _ in range(5)]
    with app.app_context():
        stock_up("A")
    sent, key = {"product": "A", "quantity": 3}, {"Idempotency-Key": "till-3"}
    answers = ask_at_once(callers, lambda caller: caller.post("/inflows", json=sent, headers=key))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.get_json()["id"] for answer in answers}) == 1
    with app.app_context():
        assert quantity_of("A") == 3


def test_a_product_that_was_sold_meanwhile_is_another_version(app: Flask) -> None:
    caller = Caller(app, "editor")
    made = create(caller, get_resource("products"))
    seen = {"If-Match": f'"{made["version"]}"'}
    caller.post("/outflows", json={"product": made["serial_number"], "quantity": 1})
    answer = caller.ask("PATCH", f"/products/{made['id']}", json={"title": "Lamp"}, headers=seen)
    assert answer.status_code == 412


@pytest.mark.parametrize("record_id", ["0", "9223372036854775807", "9223372036854775808", "9" * 30])
@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE"])
def test_what_is_not_there(app: Flask, method: str, record_id: str) -> None:
    answer = Caller(app, "editor").ask(method, f"/brands/{record_id}", json={}, headers=ANY_VERSION)
    assert answer.status_code == 404


@pytest.mark.parametrize(
    ("person", "scope", "said"), [("viewer", "", "may only read"), ("editor", "read", "may only read")]
)
def test_who_may_only_read_does(app: Flask, person: str, scope: str, said: str) -> None:
    made = create(Caller(app, "editor"), get_resource("brands"))
    reader, address = Caller(app, person, scope), f"/brands/{made['id']}"
    assert reader.get(address).get_json() == made
    requests = (("POST", "/brands"), ("PATCH", address), ("DELETE", address), ("POST", "/brands:batch"))
    for method, path in requests:
        answer = reader.ask(method, path, json={}, headers=ANY_VERSION)
        assert answer.status_code == 403, (method, path)
        assert said in answer.get_json()["detail"]


def test_the_same_key_makes_one_record(app: Flask) -> None:
    caller, key = Caller(app, "editor"), {"Idempotency-Key": "till-1"}
    with app.app_context():
        save("categories", {"name": "Tools"})
        save("products", product("A"))
    sent = {"product": "A", "quantity": 3}
    first = caller.post("/inflows", json=sent, headers=key)
    again = caller.post("/inflows", json=sent, headers=key)
    assert (again.status_code, again.get_json()) == (201, first.get_json())
    other = caller.post("/inflows", json=sent | {"quantity": 4}, headers=key)
    assert other.status_code == 422
    assert "another request" in reasons(other)["Idempotency-Key"]
    assert "255 characters" in str(
        reasons(caller.post("/inflows", json=sent, headers={"Idempotency-Key": "x" * 256}))
    )
    with app.app_context():
        assert quantity_of("A") == 3


def test_a_key_whose_request_failed_may_come_again(app: Flask) -> None:
    caller, key = Caller(app, "editor"), {"Idempotency-Key": "till-2"}
    sent = {"name": "X-1", "brand": "Acme"}
    assert caller.post("/product_models", json=sent, headers=key).status_code == 422
    caller.post("/brands", json={"name": "Acme"})
    assert caller.post("/product_models", json=sent, headers=key).status_code == 201


@on_both_databases
def test_a_walk_meets_every_record_once(app: Flask) -> None:
    caller = Caller(app, "viewer")
    with app.app_context():
        save("categories", {"name": "Tools"}, {"name": "Toys"})
        rows = [
            product(f"S-{n:02}", title=f"Title {n % 5}", category=("Tools", "Toys")[n % 2]) for n in range(23)
        ]
        save("products", *rows)
    for sort in ("", "title", "-sell_price", "quantity", "-category", "product_model"):
        query = f"?limit=4&sort={sort}" if sort else "?limit=4"
        found = walk(caller, f"/products{query}")
        assert sorted(item["serial_number"] for item in found) == [f"S-{n:02}" for n in range(23)], sort
    found = walk(caller, "/products?limit=4&sort=-serial_number&category=toys&fields=serial_number")
    assert [item["serial_number"] for item in found] == [f"S-{n:02}" for n in range(21, 0, -2)]
    first = caller.get("/products?limit=4&category=Toys").get_json()
    assert (first["count"], first["is_count_exact"]) == (11, True)


@on_both_databases
def test_a_list_is_narrowed_as_its_page_is(app: Flask) -> None:
    caller = Caller(app, "viewer")
    with app.app_context():
        fill_shop()

    def serials(query: str) -> list[str]:
        return [item["serial_number"] for item in walk(caller, f"/products?sort=serial_number&{query}")]

    assert serials("q=cafe") == ["=1+1"]
    assert serials("category=TOYS") == ["=1+1"]
    assert serials("brand=Bolt") == ["00123"]
    assert serials("product_model=X-1&brand=Acme") == []
    assert serials("quantity_from=8&quantity_to=8") == ["00123"]
    assert serials("sell_price=4.90&title=Café") == ["=1+1"]
    assert serials("low_stock=true") == ["00123", "7891234567890"]
    assert len(serials("low_stock=false")) == 3
    assert serials("no_movement_since=2020-01-01") == ["7891234567890"]
    ids = [item["id"] for item in walk(caller, "/products?q=00123")]
    assert serials(f"ids={ids[0]}") == ["00123"]
    kinds = [
        item["kind"]
        for item in walk(caller, "/inflows?kind=purchase&product=00123&occurred_at_from=2020-01-01")
    ]
    assert kinds == ["purchase"]
    best = [item["serial_number"] for item in caller.get("/products?q=twice").get_json()["items"]]
    assert best == ["00123"]


def test_only_what_was_asked_for_is_answered(app: Flask) -> None:
    caller = Caller(app, "viewer")
    with app.app_context():
        save("brands", {"name": "Acme"})
    (item,) = caller.get("/brands?fields=name, version").get_json()["items"]
    assert list(item) == ["id", "name", "version"]
    (item,) = caller.get("/brands?fields=id").get_json()["items"]
    assert list(item) == ["id"]


@pytest.mark.parametrize(
    ("query", "field", "said"),
    [
        ("colour=red", "colour", "Unknown field."),
        ("sort=colour", "sort", "Must be one of: serial_number"),
        ("brand=Acme&brand=Bolt", "brand", "comes more than once"),
        ("fields=colour", "fields", "There is no field “colour”. Use one of: id, serial_number"),
        ("limit=0", "limit", "1"),
        ("limit=many", "limit", "integer"),
        ("sell_price_from=cheap", "sell_price_from", "“cheap” is no amount"),
        ("no_movement_since=yesterday", "no_movement_since", "is no date"),
        ("no_movement_since=01/02/2026", "no_movement_since", "is no date"),
        ("low_stock=perhaps", "low_stock", "boolean"),
        ("ids=one", "ids", "That is no selection"),
        ("cursor=x", "cursor", "This is no place in this list"),
        ("cursor=WyJuIiwgTmFOLCAxXQ&sort=sell_price", "cursor", "This is no place in this list"),
        ("cursor=WyJuIiwgIngiLCAxZTMwXQ", "cursor", "This is no place in this list"),
    ],
)
def test_what_cannot_be_listed_is_said_by_parameter(app: Flask, query: str, field: str, said: str) -> None:
    answer = Caller(app, "viewer").get(f"/products?{query}")
    assert answer.status_code == 422, answer.text
    assert said in reasons(answer)[field]


def test_the_specification_has_an_address_of_each_kind_with_its_fields(app: Flask) -> None:
    found = Caller(app, "viewer").get("/openapi.json").get_json()
    for resource in RESOURCES.values():
        assert {f"{ROOT}/{resource.name}{end}" for end in ("", "/{record_id}", ":batch")} <= found[
            "paths"
        ].keys()
    schemas = found["components"]["schemas"]
    made, new = schemas["Product"]["properties"], schemas["ProductNew"]
    assert made["quantity"]["type"] == "integer"
    assert made["sell_price"]["format"] == "decimal"
    assert made["description"]["type"] == ["string", "null"]
    assert schemas["Inflow"]["properties"]["occurred_at"]["format"] == "date-time"
    assert schemas["Outflow"]["properties"]["kind"]["enum"] == ["sale", "adjustment"]
    assert "What identifies the product" in new["properties"]["serial_number"]["description"]
    assert sorted(new["required"]) == ["category", "cost_price", "sell_price", "serial_number", "title"]
    assert "required" not in schemas["ProductChange"]
    assert schemas["ProductRow"]["required"] == ["serial_number"]
