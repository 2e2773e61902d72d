"""The name under which an export is saved: what it holds, of which day, and how it was narrowed."""

import re
import unicodedata

from webapp.extensions import settings
from webapp.models import TaskNotification
from webapp.models.base import utc_now
from webapp.pipeline.formats import get_format

LONGEST = 100  # characters before the ending: every file system takes them, and people still read them
LONGEST_BYTES = 200
LONGEST_PART = 30
NOT_IN_NAMES = re.compile(r"[^\w]+")


def download_name(job: TaskNotification) -> str:
    """Return a file name such as ``products-2026-11-23-search-cafe-low_stock.csv``.

    It holds letters, digits, hyphens and underscores of any script, whatever the filters are.
    """
    extension = get_format(job.file_format or "").get_extension(job.params.get("options", {}))
    day = (job.completed_at or utc_now()).astimezone(settings().zone).strftime("%Y-%m-%d")
    parts = [job.model_name or "export", day]
    for name, text in (job.params.get("filters") or {}).items():
        parts.append("search" if name == "q" else name)
        if name != "low_stock":
            parts.append(_clean(text)[:LONGEST_PART])
    return f"{_shorten('-'.join(part for part in parts if part))}.{extension}"


def _clean(text: str) -> str:
    return NOT_IN_NAMES.sub("-", unicodedata.normalize("NFC", text)).strip("-_").lower()


def _shorten(name: str) -> str:
    cut = name[:LONGEST].encode()[:LONGEST_BYTES].decode(errors="ignore")
    return cut.rstrip("-_")
