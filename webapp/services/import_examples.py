"""The example row of an import template: made here, and known again when the template comes back filled in."""

from functools import cache
from typing import Any

from flask_babel import force_locale, gettext

from config import LANGUAGES
from webapp.pipeline.check import CheckedRow
from webapp.resources.base import Resource
from webapp.resources.registry import get_resource
from webapp.services.import_mapping import mappable_fields

TELLING = 3  # so many of its values in one row are no coincidence


def build_example(resource: Resource, language: str) -> list[str]:
    """Return the texts of the example row, a field each, in a language."""
    with force_locale(language):
        return [gettext(field.example) if field.example else "" for field in mappable_fields(resource)]


def is_example(resource: Resource, row: CheckedRow) -> bool:
    """Whether a row is a template's example.

    Values are compared, not texts: a spreadsheet that has saved the template writes 2.50 as 2.5. A row
    that says less than three things, or less than the whole example, is somebody's own.
    """
    if row.problems or not row.values:
        return False
    return any(
        row.values.items() <= example.items() and len(row.values) >= min(TELLING, len(example))
        for example in _list_examples(resource.name)
    )


@cache
def _list_examples(resource_name: str) -> tuple[dict[str, Any], ...]:
    resource = get_resource(resource_name)
    return tuple(
        {
            field.name: field.type.parse(text)
            for field, text in zip(mappable_fields(resource), build_example(resource, language), strict=True)
            if text
        }
        for language in LANGUAGES
    )
