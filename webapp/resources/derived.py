"""Columns that nobody enters: they are made from what was entered."""

from collections.abc import Mapping
from typing import Any

from webapp.resources.base import Resource
from webapp.resources.types import fold_key, fold_search


def derived_columns(resource: Resource, values: Mapping[str, Any]) -> dict[str, str]:
    """Return the columns of a record that follow from its values: its key's twin and its search text.

    ``values`` holds the whole record by field name, a change included; only text is searched.
    KeyError when the text that names the record is missing.
    """
    key = resource.reference_field
    words = (values.get(field.name) for field in resource.searchable_fields)
    return {
        f"{key}_key": fold_key(values[key]),
        "search_text": fold_search(" ".join(word for word in words if word)),
    }
