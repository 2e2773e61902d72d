"""Searching: words anywhere, short ones at the beginning of a word, the best first; the index never drifts."""

import pytest
from flask import Flask
from sqlalchemy import select, text, update

from tests.support.databases import on_both_databases
from tests.support.factories import save, stock_up
from webapp.database import write_transaction
from webapp.extensions import db
from webapp.models import Category
from webapp.resources.registry import RESOURCES, get_resource
from webapp.resources.types import fold_search
from webapp.services import queries, record_search, search_pieces
from webapp.services.demo import load_demo
from webapp.services.record_removal import remove_records
from webapp.services.record_search import BEST
from webapp.services.records import SaveContext
from webapp.services.search_pieces import SHORT

CATEGORIES = get_resource("categories")


def found(words: str, resource: str = "categories", **options: str) -> list[str]:
    """The keys of what a search finds, in the order of the list."""
    chosen = get_resource(resource)
    fields = [chosen.get_field(chosen.reference_field)]
    page = queries.list_records(chosen, fields, filters={"q": words}, **options)  # type: ignore[arg-type]
    db.session.rollback()
    return [row[1] for row in page.rows]


def check_index() -> None:
    """Hold SQLite's index of searches against what the tables say. PostgreSQL keeps its own."""
    if db.engine.dialect.name != "sqlite":
        return
    with write_transaction() as session:
        for resource in RESOURCES.values():
            name = f"{resource.model.__tablename__}_search"
            session.execute(text(f"INSERT INTO {name} ({name}, rank) VALUES ('integrity-check', 1)"))  # noqa: S608


@on_both_databases
def test_words_are_found_anywhere_and_short_ones_where_a_word_begins(app: Flask) -> None:
    with app.app_context():
        save(
            "categories",
            *({"name": name} for name in ("Café da Manhã", "Green tea", "Steak 100%", "a_b", "axb")),
        )
        assert found("cafe") == ["Café da Manhã"]
        assert found("MANHÃ café") == ["Café da Manhã"]
        assert found("ea") == []
        assert sorted(found("tea")) == ["Green tea", "Steak 100%"]
        assert found("te") == ["Green tea"]
        assert found("g t") == ["Green tea"]
        assert found("d") == ["Café da Manhã"]
        assert found("100%") == ["Steak 100%"]
        assert found("a_b") == ["a_b"]
        assert found('"tea" OR') == []
        assert found("geen") == []
        assert len(found("  ")) == 5


NAMES = (
    "INV-2026-012345",
    "INV-2026-012399",
    "INV-2027-000001",
    "2026-12 Café",
    "Quiche com queijo",
    "A quiz",
    "Steak 100% Q",
    "a_b /c/",
    "-2 degrees",
    "чай-2026",
)
SEARCHED = (
    *(
        "inv-2026-012345",
        "inv-2026",
        "inv-2025",
        "2026-0",
        "26-01",
        "6-0",
        "-01",
        "-2",
        "2",
        "20",
        "12",
        "01",
    ),
    *(
        "q",
        "qu",
        "qui",
        "quic",
        "zqu",
        "i",
        "in",
        "nv",
        "v-",
        "чай",
        "ай",
        "ч",
        "a_",
        "_b",
        "%",
        "100%",
        "/",
        "/c",
    ),
    *(
        "/c/",
        "xyz",
        "012399",
        "inv 2026",
        "inv 0123",
        "q ste",
        "quiche qu",
        "2 de",
        "nowhere inv",
        "a q",
        "2027 1",
    ),
)


def is_match(name: str, words: str) -> bool:
    """What a search means, told without an index."""
    text = f" {fold_search(name)}"
    return all((word if len(word) >= SHORT else f" {word}") in text for word in fold_search(words).split())


@on_both_databases
@pytest.mark.parametrize("rare", [0.01, 0.25, 1])
def test_whatever_the_index_is_asked_for_the_same_is_found(
    app: Flask, monkeypatch: pytest.MonkeyPatch, rare: float
) -> None:
    monkeypatch.setattr(search_pieces, "RARE", rare)
    with app.app_context():
        save("categories", *({"name": name} for name in NAMES))
        for many in (0, 1):
            monkeypatch.setattr(record_search, "MANY", many)
            for words in SEARCHED:
                wanted = sorted(name for name in NAMES if is_match(name, words))
                assert sorted(found(words)) == wanted, words
                conditions = queries.where_search(CATEGORIES, words)
                assert sorted(db.session.scalars(select(Category.name).where(*conditions))) == wanted, words


@on_both_databases
def test_the_best_come_first_and_can_be_sorted(app: Flask) -> None:
    with app.app_context():
        save("categories", *({"name": name} for name in ("Oversea", "Old sea", "Sea", "Sea food")))
        assert found("sea") == ["Sea", "Sea food", "Old sea", "Oversea"]
        assert found("sea", sort="name") == ["Old sea", "Oversea", "Sea", "Sea food"]
        assert found("sea", sort="-name") == ["Sea food", "Sea", "Oversea", "Old sea"]


@on_both_databases
def test_a_search_leads_through_its_pages_and_back(app: Flask) -> None:
    with app.app_context():
        save("categories", *({"name": f"Sea {number}"} for number in range(25)))
        fields, seen, cursor = CATEGORIES.fields[:1], [], ""
        for _ in range(3):
            page = queries.list_records(CATEGORIES, fields, filters={"q": "sea"}, cursor=cursor, limit=10)
            seen += [row.name for row in page.rows]
            cursor = page.next_cursor or ""
        assert len(set(seen)) == 25
        before = queries.list_records(
            CATEGORIES, fields, filters={"q": "sea"}, cursor=page.previous_cursor or "", limit=10
        )
        assert [row.name for row in before.rows] == seen[10:20]
        assert page.best is None


@on_both_databases
@pytest.mark.slow
def test_only_the_best_thousand_of_many_are_listed(app: Flask) -> None:
    with app.app_context():
        save("categories", *({"name": f"Tool {number:05}"} for number in range(BEST + 200)), {"name": "Tool"})
        page = queries.list_records(CATEGORIES, CATEGORIES.fields[:1], filters={"q": "tool"}, limit=2 * BEST)
        assert (page.count, page.is_count_exact, page.best, len(page.rows)) == (BEST + 201, True, BEST, BEST)
        assert page.rows[0].name == "Tool"


@on_both_databases
def test_the_index_follows_every_way_of_writing(app: Flask) -> None:
    with app.app_context():
        made = save("categories", {"name": "Alpha"}, {"name": "Beta"})
        check_index()
        with write_transaction() as session:
            remove_records(session, CATEGORIES, [made[0].record_id], SaveContext(None, "test"))
        with write_transaction() as session:
            session.execute(update(Category).values(search_text="gamma ray"))
        check_index()
        assert found("alpha") == found("beta") == []
        assert found("gamma") == ["Beta"]
        stock_up("A-1", quantity=3)
        save("outflows", {"reference": "S-100", "product": "A-1", "quantity": 1})
        check_index()
        assert found("s-10", "outflows") == ["S-100"]


@on_both_databases
@pytest.mark.slow
def test_the_demo_shop_can_be_searched(app: Flask) -> None:
    with app.app_context():
        load_demo(200, 1000, 1)
        check_index()
        assert found("coffee", "products")
