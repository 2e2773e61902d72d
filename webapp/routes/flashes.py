"""What the next page says of the last action: it was done (``flash`` as it is), was refused, or asks for something."""

from flask import flash
from flask_babel import gettext

from webapp.errors import Conflict

REFUSED, HINT = "refused", "hint"


def flash_refusal(error: Conflict) -> None:
    """Say why nothing was done."""
    flash(gettext(str(error)), REFUSED)


def flash_hint(text: str) -> None:
    """Say what there is to know or to do first: nothing was done, and nothing went wrong."""
    flash(text, HINT)
