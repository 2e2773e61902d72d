"""Counting the stock: a list that grows line by line, shows the differences, and is applied at once."""

from flask import Blueprint, flash, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext
from flask_login import current_user

from webapp.errors import Conflict, Invalid
from webapp.htmx import go_to, render_page
from webapp.resources.types import fold_key
from webapp.routes.flashes import flash_hint, flash_refusal
from webapp.routes.stock_form import CountForm, add_scanned, begin_count, read_form
from webapp.services import stock_counting
from webapp.services.accounts import require_role
from webapp.services.stock_counting import CountResult

blueprint = Blueprint("stock", __name__, url_prefix="/stock-counts")


@blueprint.before_request
def require_editor() -> None:
    """Let those who may write pass, and everybody look; the service checks again."""
    if current_user.is_authenticated and request.endpoint != "stock.show_count":
        require_role(current_user, "editor")


@blueprint.get("/new")
def new_count() -> ResponseReturnValue:
    """Show an empty list."""
    return _render(begin_count())


@blueprint.post("/lines")
def change_lines() -> ResponseReturnValue:
    """Add what was scanned, take a line away, or compare with the stock once more; nothing is saved."""
    form = read_form(request.form)
    add_scanned(form)
    return _render(form)


@blueprint.post("/")
def create_count() -> ResponseReturnValue:
    """Apply the list."""
    form = read_form(request.form)
    if form.problems:
        return _render(form), 422
    try:
        result = stock_counting.apply_count(
            current_user, form.reference, form.read_counts(), reason=form.reason, seen=_read_seen()
        )
    except Invalid as error:
        form.problem = next(iter(error.problems.values()))
        return _render(form), 422
    except Conflict as error:
        flash_refusal(error)
        return go_to(url_for("stock.show_count", reference=form.reference))
    _tell(result)
    if not result.corrected:
        return go_to(url_for("stock.new_count"))
    return go_to(url_for("stock.show_count", reference=form.reference))


@blueprint.get("/<reference>")
def show_count(reference: str) -> ResponseReturnValue:
    """Show what a count has set right."""
    corrections = stock_counting.get_count(reference)
    return render_template("stock/show.html", reference=reference, corrections=corrections)


def _read_seen() -> dict[str, int]:
    """Return the quantities that the person had before them."""
    shown = zip(request.form.getlist("serial"), request.form.getlist("seen"), strict=False)
    return {serial: int(text) for serial, text in shown if text.lstrip("-").isdecimal()}


def _tell(result: CountResult) -> None:
    flash(
        ngettext("%(num)s product was set right", "%(num)s products were set right", result.corrected)
        + ", "
        + ngettext("%(num)s was as it should be.", "%(num)s were as they should be.", result.unchanged)
    )
    if names := result.moved_meanwhile:
        flash_hint(
            _(
                "The stock of these changed while you looked, and the difference was taken from what it was then: %(names)s.",
                names=", ".join(names[:10]) + (" …" if len(names) > 10 else ""),
            )
        )


def _render(form: CountForm) -> str:
    return render_page("stock/new.html", "stock/_count.html", form=form, fold_key=fold_key)
