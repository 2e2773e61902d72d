"""Our few lines on htmx-flask: page or fragment, redirects, events."""

from typing import Any
from urllib.parse import urlsplit

from flask import Response, make_response, redirect, render_template
from htmx_flask import request

from webapp.security import is_own_path


def wants_fragment() -> bool:
    """Whether htmx asks for a part of a page: not a boosted visit, not a restored history entry."""
    return bool(request.htmx) and not request.htmx.boosted and not request.htmx.history_restore_request


def render_page(page: str, fragment: str, /, **context: Any) -> str:
    """Render the fragment for htmx, else the page, which includes the same file."""
    return render_template(fragment if wants_fragment() else page, **context)


def go_to(url: str) -> Response:
    """Send the browser on to another page, with or without htmx."""
    if not wants_fragment():
        return make_response(redirect(url, code=303))
    response = make_response("", 200)
    response.headers["HX-Redirect"] = url
    return response


def page_before(otherwise: str) -> str:
    """Return the page from which the request came, if that is one of ours."""
    before = urlsplit(request.referrer or "")
    path = f"{before.path}?{before.query}" if before.query else before.path
    return path if before.netloc == request.host and is_own_path(path) else otherwise
