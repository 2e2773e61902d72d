"""Which column of a file is which field: found by name, label and customary other names."""

import re
from collections.abc import Mapping, Sequence
from difflib import SequenceMatcher

from webapp.resources.base import Field, Resource
from webapp.resources.types import fold_search

FUZZY_RATIO = 0.8


def suggest_mapping(
    resource: Resource,
    fields: Sequence[Field],
    columns: Sequence[str],
    labels: Mapping[str, Sequence[str]],
) -> dict[str, tuple[str, bool]]:
    """Return ``{field: (column, is_exact)}``. An exact match is by a known name; a fuzzy one is close to it.

    ``labels`` holds the fields' labels in other languages. A column feeds one field, the first that
    fits; a person may decide otherwise.
    """
    found: dict[str, tuple[str, bool]] = {}
    names = {field.name: _names(resource, field, labels.get(field.name, ())) for field in fields}
    # Passes from the surest to the least: a field's own name beats another field's alias.
    for rank in range(max((len(list_) for list_ in names.values()), default=0)):
        for field in fields:
            if field.name not in found and rank < len(names[field.name]):
                column = _find_exact(names[field.name][rank], columns, found)
                if column is not None:
                    found[field.name] = (column, True)
    for field in fields:
        if field.name not in found and (column := _find_close(names[field.name], columns, found)):
            found[field.name] = (column, False)
    return found


def _names(resource: Resource, field: Field, labels: Sequence[str]) -> list[str]:
    singular = resource.label
    own = [
        field.name,
        field.label,
        f"{singular} {field.name}",
        f"{singular} {field.label}",
        *labels,
        *field.aliases,
    ]
    return list(dict.fromkeys(_normalise(name) for name in own))


def _normalise(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", fold_search(name))


def _find_exact(name: str, columns: Sequence[str], found: dict[str, tuple[str, bool]]) -> str | None:
    taken = {column for column, _ in found.values()}
    return next((column for column in columns if column not in taken and _normalise(column) == name), None)


def _find_close(names: list[str], columns: Sequence[str], found: dict[str, tuple[str, bool]]) -> str | None:
    taken = {column for column, _ in found.values()}
    scored = [
        (max(SequenceMatcher(None, _normalise(column), name).ratio() for name in names), column)
        for column in columns
        if column not in taken and len(_normalise(column)) > 2
    ]
    best = max(scored, default=(0.0, ""))
    return best[1] if best[0] >= FUZZY_RATIO else None
