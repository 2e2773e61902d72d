"""A JSON text of any length, decoded value by value: memory does not grow with the file."""

import json
import re
from decimal import Decimal
from typing import Any, TextIO

from webapp.pipeline.problems import ReadProblem
from webapp.pipeline.read_encoding import count_line_ends
from webapp.resources.base import N_

_BLOCK = 256 * 1024
_MAX_EXPONENT = 40
_BLANK = " \t\r\n"
_COMMA = re.compile(r"[ \t\r\n]*,[ \t\r\n]*(?=[^ \t\r\n])")


def number_text(text: str) -> str:
    """Return the digits of a JSON number as written, an exponent written out: no digit is lost."""
    if "e" not in text and "E" not in text:
        return text
    number = Decimal(text)
    exponent = number.adjusted()
    return format(number, "f") if abs(exponent) <= _MAX_EXPONENT else text


DECODER = json.JSONDecoder(parse_float=number_text, parse_int=str, parse_constant=str)


class JsonWindow:
    """The part of a JSON text around the place that is read, so that memory does not grow with the file."""

    def __init__(self, text: TextIO, limit: int) -> None:
        self.text = text
        self.limit = limit  # characters of one record
        self.buffer = ""
        self.position = 0
        self.line_ends = 0  # in what has left the buffer

    def peek(self) -> str:
        """Return the next character that is not white space, '' at the end of the file."""
        while True:
            while self.position < len(self.buffer):
                if self.buffer[self.position] not in _BLANK:
                    return self.buffer[self.position]
                self.position += 1
            if not self._read_more(_BLOCK):
                return ""

    def skip_comma(self) -> bool:
        """Go past a comma if it and the start of the next value are in the buffer: the usual case, fast."""
        match = _COMMA.match(self.buffer, self.position)
        if match:
            self.position = match.end()
        return match is not None

    def expect(self, character: str) -> None:
        """Go past this character, or raise ReadProblem."""
        if self.peek() != character:
            raise self._problem(self.position)
        self.position += 1

    def read_value(self) -> Any:
        """Return the value that starts here; where the buffer cuts it in two, more is read."""
        self.peek()
        size = _BLOCK
        while True:
            try:
                value, end = DECODER.raw_decode(self.buffer, self.position)
            except json.JSONDecodeError as error:
                too_long = len(self.buffer) - self.position > self.limit
                if too_long or not self._read_more(size):
                    raise self._problem(error.pos) from None
                size *= 2
                continue
            except RecursionError:
                raise self._problem(self.position) from None
            if end == len(self.buffer) and self._read_more(_BLOCK):
                continue  # a number or word might go on
            self.position = end
            return value

    def _read_more(self, size: int) -> bool:
        """Drop what has been read and append more; False at the end of the file."""
        more = self.text.read(size)
        self.line_ends += count_line_ends(self.buffer[: self.position])
        self.buffer = self.buffer[self.position :] + more
        self.position = 0
        return bool(more)

    def _problem(self, position: int) -> ReadProblem:
        line = self.line_ends + count_line_ends(self.buffer[:position]) + 1
        return ReadProblem(
            N_("The JSON cannot be read beyond line %(line)s."),
            N_("The file must be one list of objects; check that it is complete."),
            line=line,
        )
