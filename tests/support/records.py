"""Records as a script sends them, of any kind: made from the declaration, with all that they refer to."""

import itertools
from typing import Any

from tests.support.api import Caller
from webapp.resources.base import Field, Resource
from webapp.resources.registry import get_resource
from webapp.resources.types import Choice, DateTime, Email, Integer, Money, Reference

PIECES = 7  # that a product begins with, and that a movement moves
ANY_VERSION = {"If-Match": "*"}

_numbers = itertools.count(1)


def make_values(caller: Caller, resource: Resource) -> dict[str, Any]:
    """Return values for every field of a new record; what they refer to is created first."""
    values: dict[str, Any] = {}
    for field in resource.writable_fields:
        if isinstance(field.type, Reference):
            other = get_resource(field.type.resource)
            made = create(caller, other)
            values[field.name] = made[other.reference_field]
            if field.type.scope:
                values[field.type.scope] = made[field.type.scope]
        else:
            values[field.name] = _make_value(field)
    return values


def _make_value(field: Field) -> Any:
    number = next(_numbers)
    match field.type:
        case Integer():
            return PIECES
        case Money():
            return f"{number}.25"
        case DateTime():
            return "2026-01-31T14:30:00Z"
        case Choice():
            return field.type.options[0]
        case Email():
            return f"n{number}@shop.example"
    return f"{field.name} {number}"


def create(caller: Caller, resource: Resource, **chosen: Any) -> dict[str, Any]:
    """Create a record with a value in every field, these as chosen, and return it."""
    answer = caller.post(f"/{resource.name}", json=make_values(caller, resource) | chosen)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.get_json()
    return made
