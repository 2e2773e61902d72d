"""Which column of a file is which field: found by name, label and customary other names."""

import re
from collections.abc import Mapping, Sequence
from difflib import SequenceMatcher
from typing import NamedTuple

from webapp.resources.base import Field, Resource
from webapp.resources.types import fold_search

FUZZY_RATIO = 0.8
PATTERN_LETTERS = 8  # a shorter name inside a header shows nothing: “name” in “Customer name”
# Our files of failed rows say there why each row failed; uploaded again, it is nobody's field.
REASON_COLUMN = "import_problem"

_DECORATION = re.compile(r"\([^)]*\)|\[[^\]]*\]|R\$|US\$|[$€£*#№]|\b(?:brl|usd|eur|gbp)\b", re.IGNORECASE)


class Suggestion(NamedTuple):
    """The column proposed for a field, and by what: exact, remembered, pattern or fuzzy."""

    column: str
    by: str


def suggest_mapping(
    resource: Resource,
    fields: Sequence[Field],
    columns: Sequence[str],
    labels: Mapping[str, Sequence[str]],
    remembered: Mapping[str, str] | None = None,
) -> dict[str, Suggestion]:
    """Return ``{field: suggestion}``. A column feeds one field, the first that fits; a person decides.

    ``remembered`` says for normalised headers which field a person chose before, and is heeded first.
    Then come the fields' known names, names within a header (``Unit price (BRL)``), and close ones.
    ``labels`` holds the fields' labels in other languages.
    """
    found: dict[str, Suggestion] = {}
    free = [column for column in columns if column != REASON_COLUMN]
    names = {field.name: _names(resource, field, labels.get(field.name, ())) for field in fields}
    _take_remembered(remembered or {}, names, free, found)
    _take_exact(fields, names, free, found)
    for by, find in (("pattern", _find_within), ("fuzzy", _find_close)):
        for field in fields:
            if field.name not in found and (column := find(names[field.name], free)):
                found[field.name] = Suggestion(column, by)
                free.remove(column)
    return found


def normalise(name: str) -> str:
    """Return a header as it is compared: letters and digits alone, without case and accents."""
    return re.sub(r"[^a-z0-9]", "", fold_search(name))


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
    known: dict[str, str] = {}
    for name in own:
        known.setdefault(normalise(name), name)
    known.pop("", None)
    return list(known.values())


def _take_remembered(
    remembered: Mapping[str, str],
    names: Mapping[str, Sequence[str]],
    free: list[str],
    found: dict[str, Suggestion],
) -> None:
    for column in list(free):
        name = remembered.get(normalise(column), "")
        if name in names and name not in found:
            is_known = normalise(column) in map(normalise, names[name])
            found[name] = Suggestion(column, "exact" if is_known else "remembered")
            free.remove(column)


def _take_exact(
    fields: Sequence[Field],
    names: Mapping[str, Sequence[str]],
    free: list[str],
    found: dict[str, Suggestion],
) -> None:
    # Passes from the surest to the least: a field's own name beats another field's alias.
    for rank in range(max((len(list_) for list_ in names.values()), default=0)):
        for field in fields:
            if field.name in found or rank >= len(names[field.name]):
                continue
            wanted = normalise(names[field.name][rank])
            column = next((item for item in free if normalise(item) == wanted), None)
            if column is not None:
                found[field.name] = Suggestion(column, "exact")
                free.remove(column)


def _find_within(names: Sequence[str], free: Sequence[str]) -> str | None:
    """Return the column whose header is a known name with a unit, or has a long one as whole words."""
    scored = [
        (len(name), column)
        for column in free
        for name in map(_words, names)
        if name == _words(_DECORATION.sub(" ", column))
        or (len(name) >= PATTERN_LETTERS and f" {name} " in f" {_words(column)} ")
    ]
    return max(scored, default=(0, None), key=lambda item: item[0])[1]


def _words(name: str) -> str:
    return " ".join(re.findall(r"[a-z0-9]+", fold_search(name)))


def _find_close(names: Sequence[str], free: Sequence[str]) -> str | None:
    scored = [
        (max(SequenceMatcher(None, normalise(column), normalise(name)).ratio() for name in names), column)
        for column in free
        if len(normalise(column)) > 2
    ]
    best = max(scored, default=(0.0, ""))
    return best[1] if best[0] >= FUZZY_RATIO else None
