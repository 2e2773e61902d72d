"""What type-ahead offers for a reference."""

from typing import Any

import pytest
from sqlalchemy.orm import Session

from tests.support.databases import on_both_databases
from tests.support.factories import fill_shop, product, save
from webapp.resources.registry import RESOURCES, get_resource
from webapp.services.reference_options import list_options

pytestmark = on_both_databases


def keys(resource: str, text: str = "", **options: Any) -> list[str]:
    """Return the keys of what is offered."""
    return [option.key for option in list_options(get_resource(resource), text, **options)]


def test_what_begins_with_the_text_comes_before_what_holds_it(session: Session) -> None:
    save("categories", *({"name": name} for name in ("A thing of tools", "Toolbox", "tool", "Games")))
    assert keys("categories", "TOOL") == ["tool", "Toolbox", "A thing of tools"]
    assert keys("categories", "nothing like it") == []


def test_without_a_text_the_first_ones_are_offered(session: Session) -> None:
    save("brands", *({"name": f"Brand {number:02}"} for number in range(25)))
    assert keys("brands") == [f"Brand {number:02}" for number in range(20)]


def test_accents_and_case_do_not_matter_and_each_comes_once(session: Session) -> None:
    save("suppliers", {"name": "Café São João"}, {"name": "Other"})
    assert keys("suppliers", "sao CAFE") == ["Café São João"]
    assert keys("suppliers", "café") == ["Café São João"]


def test_a_product_is_found_by_its_title_and_told_by_it_with_its_stock(session: Session) -> None:
    save("categories", {"name": "Tools"})
    save("products", product("B-1", title="Hammer", quantity=7), product("A-1", title="Saw"))
    (found,) = list_options(get_resource("products"), "hamm")
    assert (found.key, found.title, found.stock) == ("B-1", "Hammer", 7)


def test_the_models_of_the_brand_come_first(session: Session) -> None:
    fill_shop()
    found = list_options(get_resource("product_models"), "x-1", scope="bolt")
    assert [option.title for option in found] == ["Bolt", "Acme"]


@pytest.mark.parametrize("text", ["%", "_", "\\", "'"])
def test_no_character_is_a_wildcard(session: Session, text: str) -> None:
    save("brands", {"name": "Acme"})
    assert keys("brands", text) == []


def test_every_kind_of_record_can_be_offered(session: Session) -> None:
    fill_shop()
    for resource in RESOURCES.values():
        assert list_options(resource), resource.name
