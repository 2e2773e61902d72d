"""The page on which an export is put together, new or saved; its parts are in templates/exports."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, time

import flask_babel
from babel.dates import format_time
from flask import render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from webapp.errors import Invalid, Problem
from webapp.extensions import settings
from webapp.forms import offered_formats
from webapp.models import SavedExport
from webapp.resources.registry import RESOURCES
from webapp.routes.export_form import Choices
from webapp.services.export_estimates import Estimate, estimate_export
from webapp.services.export_schedules import Repeat

A_MONDAY = date(2024, 1, 1)


def show_form(
    choices: Choices,
    *,
    problems: Mapping[str, Problem] | None = None,
    saved: SavedExport | None = None,
    name: str = "",
    repeat: Repeat | None = None,
    is_read_only: bool = False,
) -> ResponseReturnValue:
    """Answer with the form, and with what is wrong with it; 422 then."""
    estimate, troubles = measure(choices)
    found = {**troubles, **(problems or {})}
    page = render_template(
        "exports/new.html",
        choices=choices,
        formats=offered_formats(),
        kinds=[(item.name, _(item.label_plural)) for item in RESOURCES.values()],
        estimate=estimate,
        pdf_estimate=measure(replace(choices, file_format="pdf"))[0],
        problems=found,
        saved=saved,
        name=name,
        repeat=repeat or Repeat("never"),
        weekdays=[name_weekday(number) for number in range(7)],
        hours=[name_hour(number) for number in range(24)],
        timezone=settings().app_timezone,
        file_days=settings().file_ttl_days,
        is_read_only=is_read_only,
    )
    return page, 422 if problems else 200


def measure(choices: Choices) -> tuple[Estimate | None, dict[str, Problem]]:
    """Return how much the choices would be, or what keeps that from being told."""
    try:
        estimate = estimate_export(
            choices.resource, choices.file_format, columns=len(choices.fields), filters=choices.filters
        )
    except Invalid as error:
        return None, error.problems
    return estimate, {}


def is_only_looking() -> bool:
    """Whether the form was sent to see what its filters find, not to start or to save anything."""
    return request.form.get("action") == "look" or "drop-filter" in request.form


def name_weekday(number: int) -> str:
    """Name a day of the week, counted from Monday as 0, in the reader's language."""
    return str(flask_babel.format_date(A_MONDAY.replace(day=1 + number), "EEEE"))


def name_hour(number: int) -> str:
    """Write a full hour as the reader's language does."""
    return str(format_time(time(number), "short", locale=flask_babel.get_locale()))


def describe_repeat(repeat: Repeat) -> str:
    """Say in words how often something runs."""
    hour = name_hour(repeat.hour)
    if repeat.kind == "daily":
        return _("Every day at %(time)s", time=hour)
    if repeat.kind == "weekly":
        return _("Every week on %(day)s at %(time)s", day=name_weekday(repeat.weekday), time=hour)
    if repeat.kind == "monthly" and repeat.day == 31:
        return _("Every month on its last day at %(time)s", time=hour)
    if repeat.kind == "monthly":
        return _("Every month on day %(day)s at %(time)s", day=repeat.day, time=hour)
    return _("Only by hand")
