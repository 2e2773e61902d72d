"""The fixed words of a file in any of the languages that people read them in: venda is a sale."""

from collections.abc import Sequence
from dataclasses import replace

from flask_babel import force_locale, gettext

from config import LANGUAGES
from webapp.resources.base import Field
from webapp.resources.types import Choice


def understand_words(fields: Sequence[Field]) -> tuple[Field, ...]:
    """Return the fields, those of a few fixed words with what people read for each of them."""
    return tuple(
        replace(field, type=replace(field.type, words=_list_words(field.type)))
        if isinstance(field.type, Choice)
        else field
        for field in fields
    )


def _list_words(choice: Choice) -> tuple[tuple[str, str], ...]:
    words: list[tuple[str, str]] = []
    for language in LANGUAGES:
        with force_locale(language):
            words += zip(map(gettext, choice.labels), choice.options, strict=True)
    return tuple(words)
