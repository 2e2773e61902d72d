"""Answers that depend on what the caller has: nothing when it is the same (304), a part (206), a no (412)."""

from flask import Response, request
from werkzeug.exceptions import PreconditionFailed


def make_conditional(
    response: Response, *, accept_ranges: bool = False, length: int | None = None
) -> Response:
    """Reduce an answer that has an ETag to what the request asks for.

    ``length``: of the whole, where a range of it may be sent. Raises PreconditionFailed when the caller means
    another version, RequestedRangeNotSatisfiable when there is no such part.
    """
    environ = dict(request.environ)
    if request.if_match.star_tag:  # met by whatever there is, which Werkzeug does not know of a GET
        del environ["HTTP_IF_MATCH"]
    response.make_conditional(environ, accept_ranges=accept_ranges, complete_length=length)
    if response.status_code == 412:
        response.close()
        raise PreconditionFailed
    return response
