"""How values look on a page, in the reader's language: dates, ages, amounts, sizes, sentences.

Formatting happens here and nowhere else: services return values, templates pipe them through these.
"""

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cache, lru_cache
from typing import Any

import flask_babel
from babel import Locale
from babel.dates import format_skeleton, format_timedelta
from babel.numbers import NumberPattern, format_decimal, get_currency_symbol, parse_pattern
from flask import Flask
from flask_babel import gettext as _
from markupsafe import Markup

from webapp.extensions import settings
from webapp.models import JobAttempt, TaskNotification
from webapp.models.base import utc_now
from webapp.resources.base import Field, Resource
from webapp.resources.registry import RESOURCES
from webapp.resources.types import Choice, DateTime, Integer, Money, Phrase, Problem
from webapp.routes import page_context, static_urls
from webapp.routes.sparklines import draw_sparkline
from webapp.services import job_faults, queries

EMPTY = "–"
KILO = 1024
SIZES = ("kB", "MB", "GB", "TB")
COMMON = 10_000  # whole numbers below it are remembered
COUNTS = frozenset({"count", "length", "limit", "size"})  # params of sentences that are amounts, not places


def init_app(app: Flask) -> None:
    """Give templates their filters, and what every page shows around its content."""
    for function in FILTERS:
        app.add_template_filter(function, function.__name__.removeprefix("format_"))
    app.add_template_global(filter_label)
    app.add_template_filter(draw_sparkline, "sparkline")
    page_context.init_app(app)
    static_urls.init_app(app)


def format_number(value: Any) -> str:
    """A whole number or a Decimal, grouped."""
    if isinstance(value, int) and abs(value) < COMMON:
        return _format_common(value, str(flask_babel.get_locale()))
    return EMPTY if value is None else str(flask_babel.format_decimal(value))


@lru_cache(maxsize=COMMON)
def _format_common(value: int, locale: str) -> str:
    """A small number, of which a page has hundreds: formatted once in a process."""
    return format_decimal(value, locale=locale)


def format_money(value: Any, places: int = 4) -> str:
    """An amount in the shop's currency, with cents and, up to ``places``, the digits beyond them."""
    return EMPTY if value is None else _format_amount(Decimal(value), "0.00" + "#" * (places - 2))


def _format_amount(amount: Decimal, digits: str) -> str:
    """An amount with these digits. The currency's sign is put in here: Babel would look for its name each time."""
    locale = flask_babel.get_locale()
    text = _find_money_pattern(str(locale), digits).apply(amount, locale)
    return text.replace("¤", get_currency_symbol(settings().currency, locale))


@lru_cache
def _find_money_pattern(locale: str, digits: str) -> NumberPattern:
    standard = Locale.parse(locale).currency_formats["standard"].pattern
    return parse_pattern(standard.replace("0.00", digits))


def format_short_money(value: Any) -> str:
    """A large amount for a card: no cents from ten thousand on, where nobody reads them."""
    if value is None:
        return EMPTY
    amount = Decimal(value)
    return _format_amount(amount, "0.00" if abs(amount) < 10_000 else "0")


def format_percent(value: Any) -> str:
    """A share of one, with one decimal."""
    return EMPTY if value is None else str(flask_babel.format_percent(value, "#,##0.#%"))


def format_bytes(size: int | None) -> str:
    """The size of a file."""
    if size is None:
        return EMPTY
    if size < KILO:
        return _("%(size)s bytes", size=format_number(size))
    amount, unit = Decimal(size), "B"
    for unit in SIZES:  # noqa: B007 - the last one stays
        amount /= KILO
        if amount < KILO:
            break
    return f"{flask_babel.format_decimal(round(amount, 1))} {unit}"


def format_day(value: datetime | date | str) -> str:
    """A day such as 31 Jan 2026."""
    return str(flask_babel.format_date(_day(value), "medium"))


def format_short_day(value: datetime | date | str) -> str:
    """A day of this year, such as 31 Jan."""
    return format_skeleton("MMMd", _day(value), locale=flask_babel.get_locale())


def _day(value: datetime | date | str) -> datetime | date:
    return date.fromisoformat(value) if isinstance(value, str) else value


def format_moment(value: datetime | None) -> str:
    """A day with its time."""
    return EMPTY if value is None else f"{format_day(value)}, {format_clock(value)}"


def format_moment_seconds(value: datetime) -> str:
    """A day with its time to the second."""
    return f"{format_day(value)}, {format_clock_seconds(value)}"


def format_clock(value: datetime) -> str:
    """The time of day alone."""
    return str(flask_babel.format_time(value, "short"))


def format_clock_seconds(value: datetime) -> str:
    """The time of day to the second, as logs write it everywhere."""
    return str(flask_babel.format_time(value, "HH:mm:ss"))


def format_ago(value: datetime | None) -> Markup | str:
    """How long ago, as ``<time>``: the moment itself is its tooltip, and page.js keeps the age true."""
    if value is None:
        return EMPTY
    return Markup('<time datetime="{iso}" title="{full}" data-relative>{age}</time>').format(
        iso=value.astimezone(UTC).isoformat(timespec="seconds"),
        full=format_moment(value),
        age=format_age(value),
    )


def format_age(value: datetime) -> str:
    """How long ago in words, such as "3 min ago"."""
    age = utc_now() - value
    if age < timedelta(seconds=10):
        return _("just now")
    words = format_timedelta(-age, add_direction=True, format="short", locale=flask_babel.get_locale())
    return words.replace(".", "")


def format_duration(value: timedelta | None) -> str:
    """How long something took."""
    if value is None:
        return EMPTY
    seconds = value.total_seconds()
    if seconds < 1:
        return _("less than a second")
    if seconds < 60:
        return _("%(seconds)s s", seconds=flask_babel.format_decimal(round(seconds, 1)))
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return _("%(hours)s h %(minutes)s min", hours=hours, minutes=minutes)
    return _("%(minutes)s min %(seconds)s s", minutes=minutes, seconds=rest)


def format_seconds(value: float | None) -> str:
    """How long something took, down to the millisecond where that is what counts."""
    if value is None:
        return EMPTY
    if value < 1:
        return _("%(number)s ms", number=format_number(round(value * 1000)))
    return format_duration(timedelta(seconds=value))


def pretty_json(value: Any) -> str:
    """Values as readable JSON."""
    return json.dumps(value, ensure_ascii=False, indent=2, default=str)


def format_field(value: Any, field: Field) -> str:
    """A record's value as its field says."""
    if value is None or value == "":
        return EMPTY
    if isinstance(field.type, Money):
        return format_money(value)
    if isinstance(field.type, Integer):
        return format_number(value)
    if isinstance(field.type, DateTime):
        return format_moment(value)
    if field.type.input == "select":
        return choice_label(value)
    return str(value)


def filter_label(resource: Resource, name: str) -> str:
    """The name of a list's filter."""
    return sentence(queries.label_filter(resource, name))


def choice_label(value: str) -> str:
    """A fixed word of a Choice, for people."""
    label = _list_choice_labels().get(value)
    return _(label) if label else value.replace("_", " ").capitalize()


@cache
def _list_choice_labels() -> dict[str, str]:
    fields = (field for resource in RESOURCES.values() for field in resource.fields)
    choices = (field.type for field in fields if isinstance(field.type, Choice))
    return {
        word: label for choice in choices for word, label in zip(choice.options, choice.labels, strict=True)
    }


def sentence(text: Problem | Phrase | Mapping[str, Any]) -> str:
    """The message of a Problem, a Phrase or a notice, translated and filled in."""
    if isinstance(text, Problem | Phrase):
        return _fill(text.message, text.params)
    return _fill(text["message"], text.get("params") or {})


def failure(row: TaskNotification | JobAttempt) -> str:
    """Why a job or one of its tries failed; rows of long ago have their English sentence alone."""
    if row.error_phrases:
        return " ".join(map(sentence, row.error_phrases))
    return row.error_message or ""


def advice(problem: Problem) -> str:
    """What to do about a Problem, translated and filled in."""
    return _fill(problem.advice, problem.params) if problem.advice else ""


def _fill(message: str, params: Mapping[str, Any]) -> str:
    if not params:
        return str(_(message)).replace("%%", "%")
    return str(_(message, **{name: _translate(name, value) for name, value in params.items()}))


def _translate(name: str, value: Any) -> Any:
    """Put reasons, the labels of fields and of kinds of records into the reader's language."""
    if isinstance(value, Problem | Mapping):
        return _reason(value)
    if name == "resource" and value in RESOURCES:
        return _(RESOURCES[value].label_plural).lower()
    if name == "kind":
        return _(value).lower()
    if name == "choices":
        return ", ".join(_explain_choice(word) for word in str(value).split(", "))
    if name in COUNTS and isinstance(value, int):
        return format_number(value)
    return _(value) if name == "field" else value


def _reason(value: Problem | Mapping[str, Any]) -> str:
    """A Problem within a sentence, as it was raised or as a job keeps it."""
    if isinstance(value, Mapping):
        value = job_faults.restore(value)
    return " ".join(filter(None, [sentence(value), advice(value)]))


def _explain_choice(word: str) -> str:
    """A word that files and forms hold as it is, with what it means where that is another word."""
    label = choice_label(word).lower()
    return word if label == word.replace("_", " ").lower() else f"{word} ({label})"


def capitalize_first(text: str) -> str:
    """A sentence's first letter large, the rest as it is."""
    return text[:1].upper() + text[1:]


def status_label(status: str) -> str:
    """The state of a job, for people."""
    known = {
        "pending": _("Waiting"),
        "processing": _("Running"),
        "completed": _("Completed"),
        "failed": _("Failed"),
        "cancelled": _("Cancelled"),
        "scheduled": _("Scheduled"),
        "retrying": _("Retrying"),
        "stalled": _("Stalled"),
        "error": _("Error"),
        "crash": _("Worker lost"),
        "released": _("Handed on"),
        "forced": _("Released by force"),
    }
    return known.get(status, status)


def state_label(state: str) -> str:
    """The state of an import, for people."""
    known = {
        "uploaded": _("Reading"),
        "inspected": _("Ready to import"),
        "checked": _("Checked"),
        "applying": _("Importing"),
        "applied": _("Imported"),
        "undone": _("Undone"),
    }
    return known.get(state, state)


FILTERS = (
    advice,
    capitalize_first,
    choice_label,
    failure,
    format_age,
    format_ago,
    format_bytes,
    format_clock,
    format_clock_seconds,
    format_day,
    format_duration,
    format_field,
    format_moment,
    format_moment_seconds,
    format_money,
    format_number,
    format_percent,
    format_seconds,
    format_short_day,
    format_short_money,
    pretty_json,
    sentence,
    state_label,
    status_label,
)
