"""How an error is answered: a page with a sentence and the request's id, never a traceback; a problem for machines."""

import logging
import uuid
from collections.abc import Callable
from typing import Any

from flask import Flask, g, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import DataError, OperationalError
from werkzeug.exceptions import HTTPException, InternalServerError

from webapp.api.problems import render_problem
from webapp.errors import Conflict, Forbidden, Invalid, NotFound, Problem
from webapp.extensions import db
from webapp.filters import advice, sentence
from webapp.htmx import wants_fragment
from webapp.security import is_api_request

log = logging.getLogger(__name__)


def init_app(app: Flask) -> None:
    """Register the handlers of every error that a page can meet."""

    @app.before_request
    def name_request() -> None:
        g.request_id = uuid.uuid4().hex[:12]

    for kind, page in PAGES:
        app.register_error_handler(kind, _for_machines_too(page))


def _invalid(error: Invalid) -> ResponseReturnValue:
    parts = (part for problem in error.problems.values() for part in (sentence(problem), advice(problem)))
    return _page(422, _("That cannot be taken"), " ".join(part for part in parts if part))


def _http_error(error: HTTPException) -> ResponseReturnValue:
    if isinstance(error, InternalServerError):
        log.error(
            "Request %s to %s failed.", g.get("request_id"), request.path, exc_info=error.original_exception
        )
    code = error.code or 500
    if 300 <= code < 400:
        return error
    return _page(code, *_sentences(code))


def _unusable_value(error: Exception) -> ResponseReturnValue:
    """The database cannot even look for it: a number beyond its range, a NUL in a text."""
    log.info("Request %s to %s held an unusable value: %s", g.get("request_id"), request.path, error)
    return _page(
        400, _("That cannot be taken"), _("A value in the address or the form cannot be used. Correct it.")
    )


def _database_trouble(error: OperationalError) -> ResponseReturnValue:
    log.error("Request %s to %s met a database error.", g.get("request_id"), request.path, exc_info=error)
    return _page(503, *_sentences(503))


PAGES: tuple[tuple[type[Exception], Callable[[Any], ResponseReturnValue]], ...] = (
    (NotFound, lambda _error: _page(404, *_sentences(404))),
    (Forbidden, lambda _error: _page(403, *_sentences(403))),
    (Conflict, lambda error: _page(409, _("That is not possible now"), _(str(error)))),
    (Invalid, _invalid),
    (Problem, lambda error: _invalid(Invalid({"": error}))),
    (OperationalError, _database_trouble),
    (DataError, _unusable_value),
    (OverflowError, _unusable_value),
    (CSRFError, lambda _error: _page(400, *_sentences(400))),
    (HTTPException, _http_error),
)


def _for_machines_too(page: Callable[[Any], ResponseReturnValue]) -> Callable[[Any], ResponseReturnValue]:
    """Return a handler that answers a browser with a page and a machine with a problem."""

    def answer(error: Exception) -> ResponseReturnValue:
        return render_problem(error) if is_api_request() else page(error)

    return answer


def _sentences(code: int) -> tuple[str, str]:
    """Return the title and the advice of a status."""
    known = {
        400: (_("The form was too old"), _("Reload the page and send it again; nothing was changed.")),
        401: (_("You are not signed in"), _("Sign in and try again.")),
        403: (_("Your role does not allow this"), _("Ask an administrator if you need it.")),
        404: (_("There is nothing here"), _("The address is wrong, or the thing was deleted.")),
        405: (_("That is not possible here"), _("Go back and use the buttons of the page.")),
        411: (_("The upload named no size"), _("Send the file with a Content-Length.")),
        413: (
            _("That is too large"),
            _("Choose a smaller file, or ask an administrator to raise the limit."),
        ),
        429: (_("Too many tries"), _("Wait a minute and try again.")),
        503: (_("The database is busy"), _("Nothing was changed. Try again in a moment.")),
    }
    return known.get(
        code, (_("Something went wrong"), _("It was recorded. Try again, or tell an administrator."))
    )


def _page(code: int, title: str, advice: str) -> ResponseReturnValue:
    db.session.rollback()
    template = "errors/_error.html" if wants_fragment() else "errors/error.html"
    return render_template(
        template, code=code, title=title, advice=advice, request_id=g.get("request_id")
    ), code
