"""Which column of a file is taken for which field."""

from webapp.pipeline.mapping import suggest_mapping
from webapp.resources.registry import get_resource

PRODUCTS = get_resource("products")
LABELS = {"title": ["Título"], "sell_price": ["Preço de venda"]}


def suggest(*columns: str) -> dict[str, tuple[str, bool]]:
    return suggest_mapping(PRODUCTS, PRODUCTS.writable_fields, columns, LABELS)


def test_a_name_a_label_and_a_customary_name_are_known_in_any_spelling() -> None:
    found = suggest("SERIAL-NUMBER", "Sell price", "UnitsInStock")
    assert found == {
        "serial_number": ("SERIAL-NUMBER", True),
        "sell_price": ("Sell price", True),
        "quantity": ("UnitsInStock", True),
    }


def test_a_label_of_another_language_is_known() -> None:
    assert suggest("titulo", "PREÇO DE VENDA") == {
        "title": ("titulo", True),
        "sell_price": ("PREÇO DE VENDA", True),
    }


def test_what_is_close_is_offered_and_marked() -> None:
    assert suggest("Reorder levle") == {"reorder_level": ("Reorder levle", False)}


def test_a_fields_own_name_goes_before_anothers_customary_one() -> None:
    assert suggest("name", "title")["title"] == ("title", True)


def test_a_column_feeds_one_field() -> None:
    found = suggest("price")
    assert list(found.values()).count(("price", True)) == 1


def test_a_strange_column_is_left_alone() -> None:
    assert suggest("Colour of the box") == {}
