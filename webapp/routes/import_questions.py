"""What an import has to ask a person: dates that can be read in two ways, words that name no record."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import flask_babel

from webapp.models import DataImport
from webapp.pipeline.dialect import Dialect
from webapp.resources.base import Field
from webapp.resources.types import DateTime, Problem, Reference, Style

NEVER_CREATED = "products"  # a product needs more than a name
SHOWN_CREATED = 200
DATE_SHAPE = re.compile(r"\d{1,2}[/.-]\d{1,2}[/.-](\d{4}|\d{2})\b.*")
DAY_FIRST, MONTH_FIRST = "dmy", "mdy"


@dataclass(frozen=True)
class DateQuestion:
    """A column in which nothing tells day from month: one of its values, read both ways."""

    column: str
    value: str
    readings: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class ValueChoice:
    """A word of the file for which no record was found, and what was chosen in its place."""

    text: str
    chosen: str = ""
    count: int | None = None
    lines: tuple[int, ...] = ()


@dataclass(frozen=True)
class ReferenceChoices:
    """The words of one reference that have to be matched with records, or made into new ones."""

    field: Field
    values: tuple[ValueChoice, ...]
    can_create: bool
    is_created: bool


def find_date_columns(found: DataImport, samples: Mapping[str, list[str]]) -> dict[str, str | None]:
    """Return the columns whose first values are dates with an order to decide, and the order of each."""
    dialect = Dialect.from_json(found.dialect or {})
    return {
        column: dialect.get_date_order(column)
        for column in dialect.columns
        if any(DATE_SHAPE.fullmatch(text) for text in samples.get(column, ()))
        or column in dialect.date_orders
        or column in _unsure_values(found)
    }


def find_date_questions(found: DataImport, samples: Mapping[str, list[str]]) -> list[DateQuestion]:
    """Return a question for each column of dates that can be read in two ways."""
    unsure = _unsure_values(found)
    questions = []
    for column, order in find_date_columns(found, samples).items():
        if order is not None:
            continue
        texts = [text for _line, row in found.sample or () if (text := row.get(column, ""))]
        texts = [*([unsure[column]] if column in unsure else []), *texts]
        readings = next(filter(None, map(_read_both_ways, texts)), None)
        if readings is not None:
            questions.append(DateQuestion(column, *readings))
    return questions


def _unsure_values(found: DataImport) -> dict[str, str]:
    """Return the dates that the reader's notices name as an example, by column."""
    params = [notice.get("params") or {} for notice in (found.dialect or {}).get("notices") or ()]
    return {
        item["column"]: item["value"]
        for item in params
        if "column" in item and DATE_SHAPE.fullmatch(str(item.get("value", "")))
    }


def _read_both_ways(text: str) -> tuple[str, tuple[tuple[str, str], ...]] | None:
    """Return a date with its two readings in words; None when they are the same or one does not exist."""
    try:
        moments = [DateTime().parse(text, Style(date_order=order)) for order in (DAY_FIRST, MONTH_FIRST)]
    except Problem:
        return None
    if moments[0] == moments[1]:
        return None
    words = [flask_babel.format_date(moment.date(), "long") for moment in moments]
    return text, ((DAY_FIRST, words[0]), (MONTH_FIRST, words[1]))


def list_references(
    found: DataImport, fields: tuple[Field, ...], mapping: Mapping[str, Any], options: Mapping[str, Any]
) -> list[ReferenceChoices]:
    """Return the references with words that the check did not find, or that were matched before."""
    check = (found.report or {}).get("check") or {}
    unknown = check.get("unknown_values") or {}
    choices = []
    for field in fields:
        if not isinstance(field.type, Reference):
            continue
        chosen = dict((mapping.get(field.name) or {}).get("values") or {})
        values = [
            ValueChoice(item["value"], chosen.pop(item["value"], ""), item["count"], tuple(item["lines"]))
            for item in unknown.get(field.name) or ()
        ]
        created = [
            name for name in (check.get("will_create") or {}).get(field.name) or () if name not in chosen
        ]
        values += [ValueChoice(text, name) for text, name in chosen.items()]
        values += [ValueChoice(name) for name in created[:SHOWN_CREATED]]
        is_created = field.name in (options.get("create_missing") or ())
        if values or is_created:
            can_create = field.type.resource != NEVER_CREATED
            choices.append(ReferenceChoices(field, tuple(values), can_create, is_created))
    return choices
