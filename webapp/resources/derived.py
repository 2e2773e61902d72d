"""Columns that nobody enters: they are made from what was entered."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from webapp.resources.base import Resource
from webapp.resources.types import fold_key, fold_search


@dataclass(frozen=True, slots=True)
class Derivation:
    """From which fields a record's derived columns are made: the text that names it, and what is searched."""

    key: str
    searched: tuple[str, ...]

    @property
    def columns(self) -> tuple[str, str]:
        """The names of the derived columns."""
        return f"{self.key}_key", "search_text"

    def derive(self, values: Mapping[str, Any]) -> tuple[str, str]:
        """Return the derived columns of the record with these values, in the order of ``columns``."""
        words = [word for name in self.searched if (word := values.get(name))]
        return fold_key(values[self.key]), " ".join(fold_search(" ".join(words)).split())


def get_derivation(resource: Resource) -> Derivation:
    """Return how the derived columns of a resource are made."""
    return Derivation(resource.reference_field, tuple(field.name for field in resource.searchable_fields))


def derived_columns(resource: Resource, values: Mapping[str, Any]) -> dict[str, str]:
    """Return the columns of a record that follow from its values: its key's twin and its search text.

    ``values`` holds the whole record by field name, a change included; only text is searched.
    KeyError when the text that names the record is missing.
    """
    derivation = get_derivation(resource)
    return dict(zip(derivation.columns, derivation.derive(values), strict=True))
