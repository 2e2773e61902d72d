"""Texts that a spreadsheet would run, made harmless on the way out and given back on the way in.

A cell that begins with one of ``= + - @``, a tab or a carriage return is a formula to Excel and
LibreOffice. An apostrophe before it makes it text. The two directions stand side by side because
they only make sense together: ``restore_formula_text(neutralise_formula(text)) == text`` for every
text. That is why a text that begins with an apostrophe of its own gets one more.

Only CSV and XLSX need it: nothing runs the texts of a JSON or XML file.
"""

import re

TRIGGERS = ("=", "+", "-", "@", "\t", "\r", "'")

# A negative price is a number, not a formula. Both decimal signs, with or without groups.
_PLAIN_NUMBER = re.compile(r"[+-][0-9]+(?:[.,][0-9]+)*")


def is_formula_like(text: str) -> bool:
    """Whether a spreadsheet would run the text, or would hide its first apostrophe."""
    return text.startswith(TRIGGERS) and not _PLAIN_NUMBER.fullmatch(text)


def neutralise_formula(text: str) -> str:
    """Return the text as a CSV or XLSX cell may hold it: with an apostrophe where it needs one."""
    return "'" + text if is_formula_like(text) else text


def restore_formula_text(text: str) -> str:
    """Take off the apostrophe that ``neutralise_formula`` put there, and no other.

    ``'tis`` in somebody else's file keeps its apostrophe: we would not have written it like that.
    """
    return text[1:] if text.startswith("'") and is_formula_like(text[1:]) else text
