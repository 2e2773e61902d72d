"""Which column of a file is taken for which field."""

from webapp.pipeline.mapping import REASON_COLUMN, Suggestion, suggest_mapping
from webapp.resources.registry import get_resource

PRODUCTS = get_resource("products")
LABELS = {"title": ["Título"], "sell_price": ["Preço de venda"]}


def suggest(*columns: str, remembered: dict[str, str] | None = None) -> dict[str, Suggestion]:
    return suggest_mapping(PRODUCTS, PRODUCTS.writable_fields, columns, LABELS, remembered)


def test_a_name_a_label_and_a_customary_name_are_known_in_any_spelling() -> None:
    found = suggest("SERIAL-NUMBER", "Sell price", "UnitsInStock")
    assert found == {
        "serial_number": ("SERIAL-NUMBER", "exact"),
        "sell_price": ("Sell price", "exact"),
        "quantity": ("UnitsInStock", "exact"),
    }


def test_a_label_of_another_language_is_known() -> None:
    assert set(suggest("SKU", "Nome", "Custo", "Preço", "Qtd")) == {
        "serial_number",
        "title",
        "cost_price",
        "sell_price",
        "quantity",
    }
    assert suggest("titulo", "PREÇO DE VENDA") == {
        "title": ("titulo", "exact"),
        "sell_price": ("PREÇO DE VENDA", "exact"),
    }


def test_what_is_close_is_offered_and_marked() -> None:
    assert suggest("Reorder levle") == {"reorder_level": ("Reorder levle", "fuzzy")}


def test_a_fields_own_name_goes_before_anothers_customary_one() -> None:
    assert suggest("name", "title")["title"] == ("title", "exact")


def test_a_column_feeds_one_field() -> None:
    found = suggest("price")
    assert [one.column for one in found.values()].count("price") == 1


def test_a_strange_column_is_left_alone() -> None:
    assert suggest("Colour of the box") == {}


def test_what_was_chosen_before_goes_before_everything_else() -> None:
    found = suggest("name", "title", remembered={"name": "serial_number", "gone": "quantity"})
    assert found == {"serial_number": ("name", "remembered"), "title": ("title", "exact")}


def test_what_was_chosen_before_and_is_known_anyway_counts_as_known() -> None:
    assert suggest("SKU", remembered={"sku": "serial_number"}) == {"serial_number": ("SKU", "exact")}


def test_a_name_with_a_unit_or_within_a_header_is_offered_and_marked() -> None:
    assert suggest("Price (R$) *", "Our reorder level per shop") == {
        "sell_price": ("Price (R$) *", "pattern"),
        "reorder_level": ("Our reorder level per shop", "pattern"),
    }


def test_a_short_name_within_a_header_shows_nothing() -> None:
    assert suggest("Customer name") == {}


def test_the_reasons_in_a_file_of_failed_rows_are_nobodys_field() -> None:
    assert suggest(REASON_COLUMN, "title") == {"title": ("title", "exact")}
