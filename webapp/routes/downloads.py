"""Sending kept files: in blocks from any store, in part where the browser goes on after a break."""

import unicodedata
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote

from flask import Response, request
from werkzeug.exceptions import RequestedRangeNotSatisfiable
from werkzeug.wsgi import FileWrapper

from webapp.conditional import make_conditional
from webapp.errors import NotFound
from webapp.models import TaskNotification
from webapp.pipeline.formats import get_format
from webapp.services import export_names, files

BLOCK_BYTES = 64 * 1024
SAFE_IN_NAMES = "!#$&+-.^_`|~"  # what RFC 5987 leaves as it is, beside letters and digits


@dataclass(frozen=True)
class KeptFile:
    """A file as an answer: ``path`` in the store, ``name`` for whoever saves it."""

    path: str
    name: str
    mimetype: str
    size: int
    sha256: str
    changed_at: datetime | None = None


def get_file_of(job: TaskNotification) -> KeptFile:
    """Return the file of a job. NotFound when it has none, or none any more."""
    if not job.has_file or job.file_path is None or job.file_format is None:
        raise NotFound(job.task_id)
    return KeptFile(
        path=job.file_path,
        name=export_names.download_name(job),
        mimetype=get_format(job.file_format).get_mimetype(job.params.get("options", {})),
        size=job.file_size or 0,
        sha256=job.sha256 or "",
        changed_at=job.completed_at,
    )


def send_kept_file(kept: KeptFile) -> Response:
    """Answer with a file, whole or the range that was asked for. NotFound when it is gone.

    Its SHA-256 is its ETag: a strong one, because equal bytes are the same file on every server.
    """
    opened = ExitStack()
    file = opened.enter_context(files.open_for_reading(kept.path))
    response = Response(FileWrapper(file, BLOCK_BYTES), mimetype=kept.mimetype)
    response.call_on_close(opened.close)
    response.content_length = kept.size
    response.set_etag(kept.sha256)
    response.last_modified = kept.changed_at
    response.headers["Content-Disposition"] = build_disposition(kept.name)
    response.headers["Content-Security-Policy"] = "sandbox; default-src 'none'"
    response.headers["Cache-Control"] = "private, no-cache"  # kept by who downloaded it, asked for each time
    try:
        make_conditional(response, accept_ranges=True, length=_length_in_parts(kept))
    except RequestedRangeNotSatisfiable:
        response.close()
        return _refuse_range(kept.size)
    if response.status_code == 304:
        response.headers.remove("Content-Length")
    return response


def _length_in_parts(kept: KeptFile) -> int | None:
    """Return the file's length where a range is answered; where it is to be ignored, None.

    Several ranges at once, and what is no range at all, get the whole file: RFC 9110 leaves that to us.
    A browser that has the file already is told so before any range is looked at.
    """
    is_one = request.range is not None and request.range.units == "bytes" and len(request.range.ranges) == 1
    return kept.size if is_one and not request.if_none_match.contains(kept.sha256) else None


def _refuse_range(size: int) -> Response:
    response = Response("", status=416)
    response.headers["Content-Range"] = f"bytes */{size}"
    return response


def build_disposition(name: str) -> str:
    """Return a Content-Disposition for any name: RFC 6266, plain letters for old programs beside the real ones."""
    clean = "".join(char for char in name if char.isprintable() and char not in "/\\")
    ascii_name = unicodedata.normalize("NFKD", clean).encode("ascii", "ignore").decode()
    plain = "".join(char for char in ascii_name if char.isprintable() and char not in '"%;\\') or "download"
    if plain == clean:
        return f'attachment; filename="{plain}"'
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(clean, safe=SAFE_IN_NAMES)}"
