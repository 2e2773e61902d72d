"""What kind of file the first bytes show. Names and extensions are never believed."""

import codecs
import re

from webapp.pipeline.problems import ReadProblem
from webapp.resources.base import N_

HEAD_BYTES = 8192  # what ``sniff_kind`` wants to see

_TABLE = N_("Save the table as CSV (UTF-8) or XLSX and upload that.")
_UNPACK = N_("Unpack it and upload the table inside.")
_IMAGE = N_("This is an image, not a table.")
_ARCHIVE = N_("This is a packed archive, not a table.")
_PROGRAM = N_("This is a program, not a table.")

_MAGIC: tuple[tuple[bytes, str, str], ...] = (
    (b"\x1f\x8b", N_("This is a gzip archive, not a table."), _UNPACK),
    (b"BZh", _ARCHIVE, _UNPACK),
    (b"\xfd7zXZ", _ARCHIVE, _UNPACK),
    (b"7z\xbc\xaf\x27\x1c", _ARCHIVE, _UNPACK),
    (b"Rar!\x1a", _ARCHIVE, _UNPACK),
    (b"\x28\xb5\x2f\xfd", _ARCHIVE, _UNPACK),
    (
        b"\xd0\xcf\x11\xe0",
        N_("This is an old Excel workbook (.xls) or one with a password."),
        N_("Save it as XLSX without a password, or as CSV (UTF-8)."),
    ),
    (b"%PDF-", N_("This is a PDF document, not a table."), _TABLE),
    (b"\x89PNG", _IMAGE, _TABLE),
    (b"\xff\xd8\xff", _IMAGE, _TABLE),
    (b"GIF8", _IMAGE, _TABLE),
    (b"II*\x00", _IMAGE, _TABLE),
    (b"MM\x00*", _IMAGE, _TABLE),
    (b"SQLite format 3\x00", N_("This is an SQLite database, not a table."), _TABLE),
    (b"PAR1", N_("This is a Parquet file, which is not read here."), _TABLE),
    (b"\x7fELF", _PROGRAM, _TABLE),
    (b"\xca\xfe\xba\xbe", _PROGRAM, _TABLE),
    (b"\xcf\xfa\xed\xfe", _PROGRAM, _TABLE),
    (b"#!/", _PROGRAM, _TABLE),
    (b"{\\rtf", N_("This is a text document (RTF), not a table."), _TABLE),
)
_MARKUP: tuple[tuple[re.Pattern[bytes], str], ...] = (
    (
        re.compile(rb"<!doctype html|<(html|head|body|table|meta|div|script)\b", re.IGNORECASE),
        N_("This is a web page, not a table."),
    ),
    (
        re.compile(
            rb"(<\?xml[^>]*>\s*)?(<!--.*?-->\s*)?(<!doctype svg[^>]*>\s*)?<svg\b", re.IGNORECASE | re.DOTALL
        ),
        _IMAGE,
    ),
    (
        re.compile(rb"<(\?xml|!doctype|!--)", re.IGNORECASE),
        N_("This is an XML document, which is not read here."),
    ),
)
_BOMS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")
_JSON_ARRAY = re.compile(rb"\[\s*[\[{\]]")
_JSON_OBJECT = re.compile(rb"\{\s*[\"}]")
_CONTROL = bytes(set(range(32)) - set(b"\t\n\r\f\x1a"))
_MAX_CONTROL_SHARE = 0.05
_MAX_NUL_SHARE = 0.1


def sniff_kind(head: bytes) -> str:
    """Return csv, xlsx, json or ndjson for the first bytes of a file, or raise ReadProblem.

    The problem says plainly what the file is instead. A zip archive counts as xlsx here unless its
    first entries show otherwise; only ``read_table`` sees its directory.
    """
    for magic, message, advice in _MAGIC:
        if head.startswith(magic):
            raise ReadProblem(message, advice)
    if head.startswith(b"PK"):
        return _sniff_zip(head)
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        raise ReadProblem(_IMAGE, _TABLE)
    if head.startswith(b"MZ") and b"\x00" in head:
        raise ReadProblem(_PROGRAM, _TABLE)
    text = _as_bytes_of_text(head)
    if not text.strip():
        raise empty_file()
    for pattern, message in _MARKUP:
        if pattern.match(text):
            raise ReadProblem(message, _TABLE)
    _refuse_binary(text)
    if _JSON_ARRAY.match(text):
        return "json"
    return "ndjson" if _JSON_OBJECT.match(text) else "csv"


def empty_file() -> ReadProblem:
    """Return the answer to a file in which nothing is written."""
    return ReadProblem(N_("The file is empty."), N_("Upload a file with a header line and rows below it."))


def guess_utf16(head: bytes) -> str:
    """Return utf-16-le or utf-16-be where the zero bytes of a text without BOM show it clearly, or ''."""
    even, odd = head[0::2].count(0), head[1::2].count(0)
    half = len(head) // 2
    if half and odd > half * 0.4 and even * 20 < odd:
        return "utf-16-le"
    if half and even > half * 0.4 and odd * 20 < even:
        return "utf-16-be"
    return ""


def _sniff_zip(head: bytes) -> str:
    if b"application/vnd.oasis.opendocument" in head[:200]:
        raise ReadProblem(
            N_("This is an OpenDocument file, which is not read here."),
            N_("Save the table as XLSX or CSV (UTF-8) and upload that."),
        )
    if not head.startswith(b"PK\x03\x04") or not re.search(rb"\[Content_Types\]|_rels/|xl/|docProps/", head):
        raise not_a_workbook()
    return "xlsx"


def not_a_workbook() -> ReadProblem:
    """Return the answer to a zip archive that holds no workbook."""
    return ReadProblem(N_("This is a zip archive, not an Excel workbook."), _UNPACK)


def _as_bytes_of_text(head: bytes) -> bytes:
    """Return the head without BOM and, from UTF-16, as UTF-8, leading blanks removed."""
    encoding = "utf-16" if head.startswith(_BOMS[1:]) else guess_utf16(head)
    if encoding:
        whole = head[: len(head) // 2 * 2]
        return whole.decode(encoding, "ignore").encode("utf-8", "ignore").lstrip()
    return head.removeprefix(_BOMS[0]).lstrip()


def _refuse_binary(text: bytes) -> None:
    """Control characters show a binary file, unless the text around them is good UTF-8."""
    control = len(text) - len(text.translate(None, _CONTROL))
    if text.count(b"\x00") <= len(text) * _MAX_NUL_SHARE:
        if control <= len(text) * _MAX_CONTROL_SHARE:
            return
        try:
            codecs.getincrementaldecoder("utf-8")().decode(text)
        except UnicodeDecodeError:
            pass
        else:
            return
    raise ReadProblem(N_("This is a binary file of an unknown kind, not a table."), _TABLE)
