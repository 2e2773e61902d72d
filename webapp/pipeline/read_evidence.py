"""What a column's values say about the file's style: decimals, dates, and what a spreadsheet damaged.

Every value of the file is looked at, but not one by one: digits become ``9``, and what is then
counted are the few shapes (``99.99``, ``9/99/9999``) that a column has.
"""

import re
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache

_SEPARATOR = "\x1f"  # joins the values of a column; a value that holds it is only counted as two
_DIGITS = str.maketrans("012345678", "9" * 9)
_MAX_SHAPE = 40
# A column of text is found out after so many values, and is then looked at no closer.
_TEXT_AFTER, _TEXT_SHARE = 2000, 0.05
_TYPED_SHARE = 0.5
_EXACT_DIGITS = 15  # what Excel keeps of a number
_CODE_DIGITS = 8  # from this length on, numbers of one length are codes rather than counts

_MONEY = re.compile(r"[-+(]?\s*(?:R\$|US\$|[$€£])?\s*[-+]?([9.,\s]+?)\s*[%€]?\)?")
_GROUPS = re.compile(r"9{1,3}(?:[ \u00a0\u202f]999)+(?:[.,]9+)?")
_DAMAGED_SHAPE = re.compile(r"[-+]?9+(?:[.,]9+)?[eE]\+9+")
_DATE_SHAPE = re.compile(r"(?:99?/99?/|99?\.99?\.)(?:9999|99)(?:[T ,].*)?|99?-99?-9999(?:[T ,].*)?")
_ISO_SHAPE = re.compile(r"9999-99?-99?(?:[T ].*)?")
_POINT = re.compile(r"9+\.9{1,2}|9*\.9{4,}|9{4,}\.999|\.9+|9{1,3}(?:,999)+\.9+|9{1,3}(?:,999){2,}")
_UNSURE = re.compile(r"9{1,3}[.,]999")
_SWAP = str.maketrans(".,", ",.")
_DAMAGED = re.compile(r"\s*[-+]?\d+(?:[.,]\d+)?[eE]\+\d+\s*")
_DAY_MONTH = re.compile(r"\s*(\d{1,2})[/.-](\d{1,2})[/.-]\d")
_ZERO_LED = re.compile(r"[-+(]?\s*(?:R\$|US\$|[$€£])?\s*[-+]?0([.,])\d{3}\s*[%€]?\)?")
_LONG = re.compile(r"\d{16,}")


def is_damaged_number(text: str) -> bool:
    """Whether a spreadsheet has shortened this number (``7,89123E+12``), so that its digits are lost."""
    return "+" in text and bool(_DAMAGED.fullmatch(text))


class ColumnEvidence:
    """What has been seen of one column so far. Counts are cells; lines are physical, 0 for none."""

    def __init__(self) -> None:
        self.filled = 0
        self.kinds: Counter[str] = Counter()
        self.lengths: Counter[int] = Counter()  # of values that are all digits
        self.zero_led = False
        self.damaged = self.rounded = 0
        self.damaged_line = self.rounded_line = self.date_line = self.unsure_line = 0
        self.damaged_value = self.rounded_value = self.date_value = self.unsure_value = ""
        self.exact_long = False
        self.orders: dict[str, int] = {}  # dmy or mdy to the first line that proves it
        self.is_text = False

    def add(self, values: Sequence[str], lines: Sequence[int]) -> None:
        """Look at more values of the column, with the line of each."""
        joined = _SEPARATOR.join(values)
        if len(joined) < len(values):  # nothing but separators
            return
        if "E+" in joined or "e+" in joined:
            self._add_damaged(values, lines)
        if self.is_text:
            self.filled += 1
            return
        shapes = Counter(joined.translate(_DIGITS).split(_SEPARATOR))
        kinds: Counter[str] = Counter()
        for shape, count in shapes.items():
            if not shape.strip():
                continue
            kind = classify(shape if len(shape) <= _MAX_SHAPE else "")
            kinds[kind] += count
            if kind == "digits":
                self.lengths[len(shape.strip())] += count
        self.kinds += kinds
        self.filled += kinds.total()
        self._look_closer(kinds, values, lines, joined)
        typed = self.filled - self.kinds["text"]
        self.is_text = self.filled > _TEXT_AFTER and typed < self.filled * _TEXT_SHARE

    def _look_closer(
        self, kinds: Counter[str], values: Sequence[str], lines: Sequence[int], joined: str
    ) -> None:
        if kinds["date"]:
            self._add_dates(values, lines)
        if kinds["unsure"]:
            self._add_unsure(values, lines)
        if kinds["digits"]:
            self.zero_led = self.zero_led or (_SEPARATOR + joined).find(_SEPARATOR + "0") >= 0
            if max(self.lengths) > _EXACT_DIGITS:
                self._add_long(values, lines)

    def _add_damaged(self, values: Sequence[str], lines: Sequence[int]) -> None:
        for index, value in enumerate(values):
            if is_damaged_number(value):
                self.damaged += 1
                if not self.damaged_line:
                    self.damaged_line, self.damaged_value = lines[index], value

    def _add_dates(self, values: Sequence[str], lines: Sequence[int]) -> None:
        starts = {value[:7] for value in values}
        for start in starts:
            match = _DAY_MONTH.match(start)
            if not match:
                continue
            first, second = int(match[1]), int(match[2])
            order = "dmy" if first > 12 >= second else "mdy" if second > 12 >= first else ""
            if order and order not in self.orders:
                self.orders[order] = next(
                    line for line, v in zip(lines, values, strict=True) if v[:7] == start
                )
            if not self.date_line:
                index = next(i for i, value in enumerate(values) if value[:7] == start)
                self.date_line, self.date_value = lines[index], values[index]

    def _add_unsure(self, values: Sequence[str], lines: Sequence[int]) -> None:
        """``1.234`` says nothing about its point, but ``0.125`` does."""
        for index, value in enumerate(values):
            match = _ZERO_LED.fullmatch(value.strip())
            if match:
                self.kinds["point" if match[1] == "." else "comma"] += 1
                self.kinds["unsure"] -= 1
            elif not self.unsure_line and classify(value.translate(_DIGITS)) == "unsure":
                self.unsure_line, self.unsure_value = lines[index], value

    def _add_long(self, values: Sequence[str], lines: Sequence[int]) -> None:
        """Numbers that all end in zeros after Excel's 15 digits have lost their own."""
        for index, value in enumerate(values):
            if not _LONG.fullmatch(value):
                continue
            if value[_EXACT_DIGITS:].strip("0"):
                self.exact_long = True
            else:
                self.rounded += 1
                if not self.rounded_line:
                    self.rounded_line, self.rounded_value = lines[index], value

    @property
    def is_empty(self) -> bool:
        """Whether the column holds nothing at all."""
        return not self.filled and not self.damaged

    @property
    def is_number(self) -> bool:
        """Whether at least half of the column are numbers."""
        kinds = self.kinds
        numbers = kinds["digits"] + kinds["point"] + kinds["comma"] + kinds["unsure"] + kinds["number"]
        return self.filled > 0 and numbers >= self.filled * _TYPED_SHARE

    @property
    def is_date(self) -> bool:
        """Whether at least half of the column are dates that do not begin with the year."""
        return self.kinds["date"] > 0 and self.kinds["date"] + self.kinds["iso"] >= self.filled * _TYPED_SHARE

    @property
    def lost_zeros(self) -> int:
        """How many values are a little shorter than the codes around them, none of which begins with 0."""
        total = self.lengths.total()
        if not total or self.zero_led or total < self.filled:
            return 0
        length, count = self.lengths.most_common(1)[0]
        if length < _CODE_DIGITS or count < total * 0.7:
            return 0
        shorter = sum(n for size, n in self.lengths.items() if length - 3 <= size < length)
        return shorter if shorter + count == total else 0


@lru_cache(maxsize=4096)
def classify(shape: str) -> str:
    """Return what values of this shape (every digit a 9) are: text, or a kind of number or date."""
    shape = shape.strip()
    if shape.isdecimal():
        return "digits"
    if _DAMAGED_SHAPE.fullmatch(shape):
        return "number"
    if _DATE_SHAPE.fullmatch(shape):
        return "date"
    if _ISO_SHAPE.fullmatch(shape):
        return "iso"
    match = _MONEY.fullmatch(shape)
    if not match or "9" not in match[1]:
        return "text"
    return _classify_number(match[1])


def _classify_number(body: str) -> str:
    if _GROUPS.fullmatch(body):
        body = "".join(body.split())
    if body.isdecimal():
        return "number"
    if _UNSURE.fullmatch(body):
        return "unsure"
    if _POINT.fullmatch(body):
        return "point"
    return "comma" if _POINT.fullmatch(body.translate(_SWAP)) else "text"
