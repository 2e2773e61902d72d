"""Every resource keeps the promises that lists, forms, files and the API build on."""

from typing import Any

import pytest
from sqlalchemy import UniqueConstraint

from webapp.resources.base import Resource
from webapp.resources.derived import derived_columns
from webapp.resources.registry import RESOURCES, get_resource
from webapp.resources.types import Reference, Text
from webapp.services.record_lookup import get_table

pytestmark = pytest.mark.parametrize("resource", RESOURCES.values(), ids=list(RESOURCES))

# Filled in where a row gives none, so never required of it.
HAS_A_DEFAULT = {
    "quantity", "reorder_level", "reference", "unit_cost", "unit_price", "kind", "occurred_at"
}  # fmt: skip
OURS = {"id", "version", "created_at", "updated_at", "search_text"}


def _columns(resource: Resource) -> list[str]:
    return [column.name for column in get_table(resource).columns]


def test_every_field_is_a_column_of_its_model(resource: Resource) -> None:
    columns = get_table(resource).columns.keys()
    for field in resource.writable_fields:
        assert field.column in columns


def test_every_column_is_a_field_or_made_by_the_house(resource: Resource) -> None:
    declared = {field.column for field in resource.writable_fields}
    twins = {name for name in _columns(resource) if name.endswith("_key")}
    computed = {column.name for column in get_table(resource).columns if column.computed is not None}
    assert set(_columns(resource)) == declared | twins | computed | OURS


def test_a_required_field_is_a_column_that_cannot_be_empty(resource: Resource) -> None:
    for field in resource.writable_fields:
        column = get_table(resource).columns[field.column]
        needed = field.required or field.name in HAS_A_DEFAULT
        assert column.nullable is not needed, field.name


def test_a_text_fits_into_its_column(resource: Resource) -> None:
    for field in resource.writable_fields:
        length = getattr(get_table(resource).columns[field.column].type, "length", None)
        if isinstance(field.type, Text) and length is not None:
            assert field.type.max_length <= length, field.name


def test_the_key_is_unique_in_the_database(resource: Resource) -> None:
    table = get_table(resource)
    key = {
        field.column if field.is_reference else f"{field.name}_key"
        for field in map(resource.get_field, resource.key)
    }
    constraints = [
        {column.name for column in constraint.columns}
        for constraint in table.constraints
        if isinstance(constraint, UniqueConstraint)
    ]
    assert key in constraints


def test_a_reference_points_at_a_known_resource_and_a_foreign_key(resource: Resource) -> None:
    for field in resource.fields:
        if not isinstance(field.type, Reference):
            continue
        target = get_resource(field.type.resource)
        if not field.readonly:
            column = get_table(resource).columns[field.column]
            assert {key.column.table for key in column.foreign_keys} == {get_table(target)}
        if field.type.scope:
            target.get_field(field.type.scope)
            resource.get_field(field.type.scope)


def test_parents_come_before_their_children_in_the_registry(resource: Resource) -> None:
    order = list(RESOURCES)
    for field in resource.fields:
        if isinstance(field.type, Reference):
            assert order.index(field.type.resource) < order.index(resource.name)


def test_names_are_unique_and_the_named_fields_exist(resource: Resource) -> None:
    names = [field.name for field in resource.fields]
    assert len(names) == len(set(names))
    for name in (*resource.key, resource.reference_field, resource.title_field):
        assert name in names
    for name in resource.order_by:
        assert resource.get_field(name.removeprefix("-")).sortable


def test_a_readonly_field_is_reached_over_a_path(resource: Resource) -> None:
    for field in resource.fields:
        assert bool(field.path) == field.readonly, field.name


def test_the_example_of_every_field_is_one_that_it_takes(resource: Resource) -> None:
    for field in resource.fields:
        assert field.type.parse(field.example) is not None
        assert field.type.accepts


def test_no_two_fields_of_a_resource_share_a_name_that_files_use(resource: Resource) -> None:
    seen: dict[str, str] = {}
    for field in resource.writable_fields:
        assert field.name not in seen, (field.name, seen.get(field.name))
        seen |= dict.fromkeys((field.name, field.label.casefold()), field.name)


def test_the_made_columns_follow_from_the_values(resource: Resource) -> None:
    values: dict[str, Any] = {field.name: "Éxample" for field in resource.fields}
    made = derived_columns(resource, values)
    assert made[f"{resource.reference_field}_key"] == "éxample"
    assert set(made["search_text"].split()) == {"example"}
    assert set(made) <= set(get_table(resource).columns.keys())
