"""How a list is shown: its columns and the size of its pages, from the address or as this browser had them last."""

from collections.abc import Sequence
from dataclasses import dataclass

from flask import Response, current_app, request

from webapp.resources.base import Field, Resource

PAGE_SIZES = (25, 50, 100, 200)
USUAL_ROWS = 50
USUAL = "usual"  # asks for the declared columns again
YEAR_SECONDS = 365 * 24 * 3600
ROWS_COOKIE = "list-rows"


@dataclass(frozen=True)
class ListView:
    """The columns of a list, in the order of the declaration, and how many rows a page has."""

    fields: Sequence[Field]
    rows: int

    @property
    def names(self) -> list[str]:
        """The names of the columns."""
        return [field.name for field in self.fields]


def read_view(resource: Resource) -> ListView:
    """Return how the list is asked for; what the address does not say is as it was the last time."""
    names = request.args.getlist("columns") or request.cookies.get(_cookie(resource), "").split(".")
    chosen = [field for field in resource.fields if field.name in names]
    title = resource.get_field(resource.title_field)
    if not chosen or names == [USUAL]:
        return ListView(resource.list_fields, _read_rows())
    if title not in chosen:  # it leads to the record
        chosen = [field for field in resource.fields if field in chosen or field is title]
    return ListView(chosen, _read_rows())


def _read_rows() -> int:
    asked = request.args.get("rows") or request.cookies.get(ROWS_COOKIE, "")
    return int(asked) if asked in map(str, PAGE_SIZES) else USUAL_ROWS


def remember_view(response: Response, resource: Resource, view: ListView) -> Response:
    """Keep what the address has chosen for the next visit."""
    if request.args.getlist("columns") == [USUAL]:
        response.delete_cookie(_cookie(resource))
    elif "columns" in request.args:
        _keep(response, _cookie(resource), ".".join(view.names))
    if "rows" in request.args:
        _keep(response, ROWS_COOKIE, str(view.rows))
    return response


def _cookie(resource: Resource) -> str:
    return f"columns-{resource.name}"


def _keep(response: Response, name: str, value: str) -> None:
    is_secure = current_app.config["SESSION_COOKIE_SECURE"]
    response.set_cookie(name, value, max_age=YEAR_SECONDS, secure=is_secure, httponly=True, samesite="Lax")
