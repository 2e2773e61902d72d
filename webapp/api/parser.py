"""What comes in: bodies, addresses and headers, read by schemas; whatever cannot even be read is said here."""

import json
import re
from typing import Any, NoReturn

import marshmallow
from flask import Request
from flask_babel import gettext as _
from webargs.core import is_json, missing
from webargs.flaskparser import FlaskParser
from werkzeug.datastructures import CombinedMultiDict, MultiDict
from werkzeug.exceptions import BadRequest, UnsupportedMediaType

from webapp.resources.base import N_

# NUL and halves of characters outside the basic plane, as JSON can write them: no database takes these.
_ESCAPED = re.compile(r"\\u(?:0000|[dD][89a-fA-F][0-9a-fA-F]{2})")
REPEATED = N_("This comes more than once. Send it once.")
# What marshmallow says in words of its own, for the catalogues.
MESSAGES = (
    N_("Missing data for required field."),
    N_("Unknown field."),
    N_("Invalid input type."),
    N_("Field may not be null."),
    N_("Not a valid string."),
    N_("Not a valid integer."),
    N_("Not a valid boolean."),
    N_("Not a valid list."),
    N_("Not a valid mapping type."),
)


class ApiParser(FlaskParser):
    """Webargs, strict: what nobody knows is refused by its name in the address and the body alike."""

    DEFAULT_UNKNOWN_BY_LOCATION = {  # noqa: RUF012 - declared by the parent
        **FlaskParser.DEFAULT_UNKNOWN_BY_LOCATION,
        "query": marshmallow.RAISE,
        "multipart": marshmallow.RAISE,
    }
    __location_map__ = {**FlaskParser.__location_map__, "multipart": "load_multipart"}  # noqa: RUF012 - the same

    def _raw_load_json(self, req: Request) -> Any:
        """Return the body as JSON that a database can keep."""
        data = req.get_data(cache=True)
        if not data:
            return missing
        if not is_json(req.mimetype):
            raise UnsupportedMediaType(_("The body is not JSON. Send it as application/json."))
        return parse_json(data)

    def load_querystring(self, req: Request, schema: marshmallow.Schema) -> Any:
        """Return the parameters of the address."""
        self._refuse_repeated(req.args, "query", req, schema)
        return super().load_querystring(req, schema)

    def load_multipart(self, req: Request, schema: marshmallow.Schema) -> Any:
        """Return the fields and files of a multipart body."""
        if req.mimetype != "multipart/form-data":
            raise UnsupportedMediaType(_("The body is no form with a file. Send it as multipart/form-data."))
        parts: list[MultiDict[str, Any]] = [req.form, req.files]
        found = CombinedMultiDict(parts)
        self._refuse_repeated(found, "multipart", req, schema)
        return self._makeproxy(found, schema)

    def _refuse_repeated(
        self, found: MultiDict[str, Any], location: str, req: Request, schema: marshmallow.Schema
    ) -> None:
        """Refuse what comes twice: only the first of them would count, and nobody would know."""
        if twice := {name: [REPEATED] for name, values in found.lists() if len(values) > 1}:
            error = marshmallow.ValidationError({location: twice})
            self.handle_error(error, req, schema, error_status_code=None, error_headers=None)

    def _handle_invalid_json_error(self, error: Any, req: Request, *args: Any, **kwargs: Any) -> NoReturn:
        raise _no_json(str(error)) from error


def parse_json(data: bytes | str) -> Any:
    """Return JSON text as values. BadRequest says what is wrong with it."""
    try:
        text = data if isinstance(data, str) else data.decode()
        found = json.loads(text, parse_constant=_refuse_constant)
    except RecursionError:
        raise _no_json(_("it is nested too deeply")) from None
    except json.JSONDecodeError as error:
        raise _no_json(str(error), error.lineno) from None
    except ValueError as error:
        raise _no_json(str(error)) from None
    if _ESCAPED.search(text) and not _is_storable(found):
        raise BadRequest(_("A text holds a NUL character or half of another one. Remove it."))
    return found


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number of JSON")


def _no_json(why: str, line: int | None = None) -> BadRequest:
    """Return what is wrong with a body, and if that is known on which of its lines."""
    error = BadRequest(_("The body is not JSON: %(why)s.", why=why))
    if line is not None:
        error.data = {"errors": [{"field": None, "line": line, "detail": error.description}]}  # type: ignore[attr-defined]
    return error


def _is_storable(value: Any) -> bool:
    """Whether every text in it can be kept: a whole pair of surrogates has become one character by now."""
    text = json.dumps(value, ensure_ascii=False)
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return "\\u0000" not in text
