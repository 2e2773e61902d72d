"""The forms of pages that are not a record: sign in, upload a file; and what all ask of formats.

They give a page its fields, its token and its first sentences; what is right is decided by services.
"""

from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from flask_wtf.file import FileField
from wtforms import EmailField, PasswordField, SelectField
from wtforms.validators import InputRequired, ValidationError

from webapp.extensions import settings
from webapp.pipeline.formats import FORMATS, PDF, Format, Option
from webapp.pipeline.write_pdf import pdf_unavailable_reason
from webapp.resources.registry import IMPORTABLE
from webapp.resources.types import Problem


class LoginForm(FlaskForm):
    """Who signs in."""

    email = EmailField(_l("E-mail"), [InputRequired(_l("Enter your e-mail address."))])
    password = PasswordField(_l("Password"), [InputRequired(_l("Enter your password."))])


class UploadForm(FlaskForm):
    """A file to import, and what its rows are."""

    resource = SelectField(_l("What is in the file?"))
    file = FileField(_l("File"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.resource.choices = [(item.name, _(item.label_plural)) for item in IMPORTABLE.values()]

    def validate_file(self, field: FileField) -> None:
        """The file itself is judged by the service that stores it; here only whether one was chosen."""
        if not field.data or not field.data.filename:
            raise ValidationError(_("Choose a file to import."))


def option_name(chosen: Format, option: Option) -> str:
    """Name the control of a format's option: formats share option names, so each has its own."""
    return f"{chosen.name}-{option.name}"


def read_options(chosen: Format, form: Any) -> dict[str, str]:
    """Return the options of one format out of a posted form; what it does not hold stays at its default."""
    found = {}
    for option in chosen.options:
        name = option_name(chosen, option)
        if option.is_switch and f"{name}-shown" in form:
            found[option.name] = "yes" if name in form else "no"
        elif name in form:
            found[option.name] = form[name]
    return found


def upload_limit() -> int:
    """Return how many bytes an upload may have, with room for the form around the file."""
    return (settings().max_upload_mb << 20) + 65_536


def unavailable_reason(chosen: Format) -> Problem | None:
    """Return why a format cannot be written on this machine, or None."""
    return pdf_unavailable_reason() if chosen.name == PDF.name else None


def offered_formats() -> list[Format]:
    """Return the formats in the order in which they are offered."""
    return list(FORMATS.values())
