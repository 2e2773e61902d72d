"""The types of fields. A type parses AND formats, so that ``parse(format(value))`` is ``value``.

Text comes from files, forms and the API alike. What cannot be parsed raises ``Problem``, which
says what is wrong and what to do in words that a page can translate.
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from decimal import Decimal, InvalidOperation
from typing import Any, ClassVar

MONEY_PLACES = 4
MONEY_LIMIT = Decimal(10) ** 14  # SQLite keeps ten-thousandths in 64 bits
INTEGER_LIMIT = 2**31 - 1  # what the columns hold on both databases


def N_(message: str) -> str:  # noqa: N802 - gettext's customary name for "translate this later"
    """Mark a text for translation; it is translated where it is shown."""
    return message


class Problem(Exception):
    """A value that cannot be taken.

    ``message`` and ``advice`` are translatable texts with ``%(name)s`` places that ``params``
    fills in when the text is shown.
    """

    def __init__(self, message: str, advice: str = "", **params: Any) -> None:
        super().__init__(message)
        self.message = message
        self.advice = advice
        self.params = params

    def __str__(self) -> str:
        return " ".join(part % self.params for part in (self.message, self.advice) if part)


@dataclass(frozen=True)
class Phrase:
    """A translatable text, and the values for its ``%(name)s`` places."""

    message: str
    params: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.message % self.params


@dataclass(frozen=True)
class Style:
    """How a file or a form writes its values: decided once for a whole file, never per cell.

    ``decimal`` is ``"."`` or ``","`` (the other one groups thousands), ``date_order`` one of
    ``ymd``, ``dmy``, ``mdy``, and ``timezone`` that of dates which name none.
    """

    decimal: str = "."
    date_order: str = "ymd"
    timezone: tzinfo = UTC


PLAIN = Style()
# What most cells hold is told by its shape, at a quarter of the time.
_SHORT_INTEGER = re.compile(r"[0-9]{1,9}")
_SHORT_AMOUNT = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,4})?")


@dataclass(frozen=True)
class FieldType:
    """Base of all types. ``align`` and ``input`` tell a page how to show a value and its control."""

    align: ClassVar[str] = "start"
    input: ClassVar[str] = "text"

    def parse(self, text: str, style: Style = PLAIN) -> Any:
        """Return the value that ``text`` (not empty, trimmed) stands for, or raise Problem."""
        raise NotImplementedError

    def takes_as_they_are(self, joined: str, longest: int) -> bool:
        """Whether every text is its own value, once trimmed: told of a whole column, joined by line breaks.

        False where one may not be, or where that is not known without parsing each.
        """
        return False

    def format(self, value: Any, style: Style = PLAIN) -> str:
        """Return the text of a value for a file; None is the empty text."""
        return "" if value is None else str(value)

    @property
    def accepts(self) -> Phrase:
        """The accepted values in words, for the help table."""
        raise NotImplementedError


@dataclass(frozen=True)
class Text(FieldType):
    """Text, stored trimmed and in Unicode NFC, of at most ``max_length`` characters."""

    max_length: int = 255
    multiline: bool = False

    def parse(self, text: str, style: Style = PLAIN) -> str:
        """Refuse what a text column cannot hold: too many characters, NUL."""
        value = clean_text(text)
        if "\x00" in value:
            raise Problem(N_("The text holds a NUL character."), N_("Remove it."))
        if len(value) > self.max_length:
            raise Problem(
                N_("The text has %(length)s characters; at most %(limit)s are allowed."),
                N_("Shorten it."),
                length=len(value),
                limit=self.max_length,
            )
        return value

    def takes_as_they_are(self, joined: str, longest: int) -> bool:
        """Whether ``parse`` would return all of them (measured: a column of titles at a tenth of the time)."""
        is_short = longest <= self.max_length
        return is_short and "\x00" not in joined and unicodedata.is_normalized("NFC", joined)

    @property
    def accepts(self) -> Phrase:
        """What the help table says."""
        return Phrase(N_("text, up to %(limit)s characters"), {"limit": self.max_length})


@dataclass(frozen=True)
class Email(Text):
    """An e-mail address: one ``@`` with something on both sides, no spaces."""

    input: ClassVar[str] = "email"
    _pattern: ClassVar[re.Pattern[str]] = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")

    def parse(self, text: str, style: Style = PLAIN) -> str:
        """Only the shape is checked: whether mail arrives, no pattern can tell."""
        value = super().parse(text, style)
        if not self._pattern.fullmatch(value):
            raise Problem(
                N_("“%(value)s” is not an e-mail address."), N_("Write it as name@example.com."), value=value
            )
        return value

    def takes_as_they_are(self, joined: str, longest: int) -> bool:
        """Each has to be looked at."""
        return False

    @property
    def accepts(self) -> Phrase:
        """What the help table says."""
        return Phrase(N_("an e-mail address"))


@dataclass(frozen=True)
class Integer(FieldType):
    """A whole number."""

    minimum: int | None = None
    align: ClassVar[str] = "end"
    input: ClassVar[str] = "number"

    def parse(self, text: str, style: Style = PLAIN) -> int:
        """Accept grouped thousands and a zero fraction; refuse what Excel has damaged."""
        value = int(text) if _SHORT_INTEGER.fullmatch(text) else self._parse_written(text, style)
        if self.minimum is not None and value < self.minimum:
            raise Problem(N_("%(value)s is less than %(minimum)s."), value=value, minimum=self.minimum)
        return value

    def _parse_written(self, text: str, style: Style) -> int:
        number = parse_decimal(text, style)
        if number != number.to_integral_value():
            raise Problem(
                N_("“%(value)s” is not a whole number."), N_("Write it without decimals."), value=text
            )
        if abs(number) > INTEGER_LIMIT:
            raise Problem(N_("“%(value)s” is too large a number."), value=text)
        return int(number)

    @property
    def accepts(self) -> Phrase:
        """What the help table says."""
        if self.minimum is None:
            return Phrase(N_("a whole number"))
        return Phrase(N_("a whole number, at least %(minimum)s"), {"minimum": self.minimum})


@dataclass(frozen=True)
class Money(FieldType):
    """An exact amount with at most four decimals."""

    minimum: Decimal | None = Decimal(0)
    align: ClassVar[str] = "end"
    input: ClassVar[str] = "decimal"

    def parse(self, text: str, style: Style = PLAIN) -> Decimal:
        """Currency signs are taken off; more than four decimals are refused, never rounded."""
        is_short = style.decimal == "." and _SHORT_AMOUNT.fullmatch(text)
        number = Decimal(text) if is_short else self._parse_written(text, style)
        if number.is_zero():
            number = Decimal(0)
        if self.minimum is not None and number < self.minimum:
            raise Problem(N_("%(value)s is less than %(minimum)s."), value=text, minimum=str(self.minimum))
        return number

    def _parse_written(self, text: str, style: Style) -> Decimal:
        number = parse_decimal(re.sub(r"R\$|US\$|[$€£]", "", text).strip(), style, shown=text)
        if abs(number) >= MONEY_LIMIT:  # first: what has too many digits cannot even be rounded
            raise Problem(N_("“%(value)s” is too large an amount."), value=text)
        if number != round(number, MONEY_PLACES):
            raise Problem(N_("“%(value)s” has more than four decimals."), N_("Round it."), value=text)
        return number

    def format(self, value: Any, style: Style = PLAIN) -> str:
        """At least two decimals, and the third and fourth where they are not zero."""
        if value is None:
            return ""
        text = f"{value:.4f}"
        text = text[:-2] if text.endswith("00") else text.rstrip("0")
        return text.replace(".", ",") if style.decimal == "," else text

    @property
    def accepts(self) -> Phrase:
        """What the help table says."""
        return Phrase(N_("an amount such as 1234.56, up to four decimals"))


@dataclass(frozen=True)
class DateTime(FieldType):
    """A moment, kept in UTC. In a file a moment that names no zone is in the style's."""

    input: ClassVar[str] = "datetime-local"
    _iso: ClassVar[re.Pattern[str]] = re.compile(
        r"(\d{4})-(\d{1,2})-(\d{1,2})(?:[T ]+(\d{1,2}):(\d{2})(?::(\d{2})(?:\.(\d{1,6})\d*)?)?)?"
        r"\s*(Z|[+-]\d{2}:?\d{2})?"
    )
    _plain: ClassVar[re.Pattern[str]] = re.compile(
        r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[ T][0-9]{2}:[0-9]{2}(?::[0-9]{2})?)?"
    )
    _slashed: ClassVar[re.Pattern[str]] = re.compile(
        r"(\d{1,2})[/.-](\d{1,2})[/.-](\d{4}|\d{2})(?:[T ,]+(\d{1,2}):(\d{2})(?::(\d{2})(?:\.(\d{1,6})\d*)?)?)?"
        r"\s*([AaPp])?\.?(?:[Mm]\.?)?"
    )

    def parse(self, text: str, style: Style = PLAIN) -> datetime:
        """ISO 8601 is always understood; day and month as the style orders them otherwise."""
        try:
            moment = self._parse_iso(text) or self._parse_slashed(text, style)
            if moment is not None:
                local = moment if moment.tzinfo else moment.replace(tzinfo=style.timezone)
                return local.astimezone(UTC)
        except (ValueError, OverflowError):
            pass  # the shape of a date, but no such day: the sentence below says so
        raise Problem(
            N_("“%(value)s” is not a date that exists."),
            N_("Write it as 2026-01-31 or 2026-01-31 14:30."),
            value=text,
        )

    def _parse_iso(self, text: str) -> datetime | None:
        if self._plain.fullmatch(text):  # what most files hold, at a fifth of the time
            return datetime.fromisoformat(text)
        match = self._iso.fullmatch(text)
        if not match:
            return None
        year, month, day, hour, minute, second, fraction, zone = match.groups()
        clock = (int(hour or 0), int(minute or 0), int(second or 0), int((fraction or "0").ljust(6, "0")))
        moment = datetime(int(year), int(month), int(day), *clock)  # noqa: DTZ001 - the zone comes next
        if zone:
            return datetime.fromisoformat(moment.isoformat() + zone.replace("Z", "+00:00"))
        return moment

    def _parse_slashed(self, text: str, style: Style) -> datetime | None:
        match = self._slashed.fullmatch(text)
        if not match:
            return None
        first, second_part, year, hour, minute, second, fraction, half = match.groups()
        day, month = (second_part, first) if style.date_order == "mdy" else (first, second_part)
        hours = int(hour or 0)
        if half:
            hours = hours % 12 + (12 if half in "Pp" else 0)
        full_year = int(year) if len(year) == 4 else 2000 + int(year) - (100 if int(year) >= 70 else 0)
        clock = (hours, int(minute or 0), int(second or 0), int((fraction or "0").ljust(6, "0")))
        return datetime(full_year, int(month), int(day), *clock)  # noqa: DTZ001 - the caller adds the zone

    def format(self, value: Any, style: Style = PLAIN) -> str:
        """ISO 8601 in the style's zone, with its offset, so that nobody has to guess."""
        if value is None:
            return ""
        moment: datetime = value.astimezone(style.timezone)
        text = moment.isoformat(sep=" ", timespec="microseconds" if moment.microsecond else "seconds")
        return text.removesuffix("+00:00") + "Z" if text.endswith("+00:00") else text

    @property
    def accepts(self) -> Phrase:
        """What the help table says."""
        return Phrase(N_("a date or moment such as 2026-01-31 or 2026-01-31 14:30"))


@dataclass(frozen=True)
class Choice(FieldType):
    """One of a few fixed words.

    ``labels`` are what people read for them, in English; ``words`` are pairs of another word that a file may hold
    and the option that it means.
    """

    options: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    words: tuple[tuple[str, str], ...] = ()
    input: ClassVar[str] = "select"

    def parse(self, text: str, style: Style = PLAIN) -> str:
        """Case and accents do not matter."""
        folded = fold_search(text)
        for word, option in (*zip(self.options, self.options, strict=True), *self.words):
            if fold_search(word) == folded:
                return option
        raise Problem(
            N_("“%(value)s” is not one of the choices."),
            N_("Use one of: %(choices)s."),
            value=text,
            choices=", ".join(self.options),
        )

    @property
    def accepts(self) -> Phrase:
        """What the help table says."""
        return Phrase(N_("one of: %(choices)s"), {"choices": ", ".join(self.options)})


@dataclass(frozen=True)
class Reference(FieldType):
    """Another record, written as its key. The check resolves the text to a record later.

    ``scope`` names the field beside it that decides between records of equal keys.
    """

    resource: str = ""
    scope: str = ""
    max_length: ClassVar[int] = 255
    input: ClassVar[str] = "reference"

    def parse(self, text: str, style: Style = PLAIN) -> str:
        """The key's own text, cleaned like every text."""
        return Text(self.max_length).parse(text)

    def takes_as_they_are(self, joined: str, longest: int) -> bool:
        """As of every text."""
        return Text(self.max_length).takes_as_they_are(joined, longest)

    @property
    def accepts(self) -> Phrase:
        """What the help table says."""
        return Phrase(N_("the name or number of one of the %(resource)s"), {"resource": self.resource})


def clean_text(text: str) -> str:
    """Trim, and compose accents (NFC), so that equal-looking texts are equal."""
    if text.isascii():  # nothing to compose
        return text.strip()
    return unicodedata.normalize("NFC", text).strip()


def fold_key(text: str) -> str:
    """The twin on which keys are matched and kept unique: case and composition do not matter."""
    if text.isascii():  # most text is, and this is called for every row
        return text.strip().casefold()
    return unicodedata.normalize("NFC", clean_text(text).casefold())


def fold_keys(texts: Sequence[str]) -> list[str]:
    """Return the twin of each text."""
    if "".join(texts).isascii():
        return [text.strip().casefold() for text in texts]
    return [fold_key(text) for text in texts]


def fold_search(text: str) -> str:
    """The form in which text is searched: no accents, no case (Unicode NFKD, marks removed)."""
    if text.isascii():  # as above
        return text.casefold()
    decomposed = unicodedata.normalize("NFKD", text).casefold()
    return "".join(char for char in decomposed if not unicodedata.combining(char))


_GROUPED = {
    ".": re.compile(r"[+-]?\d{1,3}(?:,\d{3})+(?:\.\d+)?"),
    ",": re.compile(r"[+-]?\d{1,3}(?:\.\d{3})+(?:,\d+)?"),
}
_DAMAGED = re.compile(r"[+-]?\d+(?:[.,]\d+)?[eE][+-]?\d+")


def parse_decimal(text: str, style: Style = PLAIN, *, shown: str | None = None) -> Decimal:
    """Parse a number in the style's decimals; ``shown`` is the text that an error quotes."""
    compact = text.replace("\u00a0", "").replace("\u202f", "").replace(" ", "")
    if _DAMAGED.fullmatch(compact):
        raise shortened(shown or text)
    if _GROUPED[style.decimal].fullmatch(compact):
        compact = compact.replace("," if style.decimal == "." else ".", "")
    if style.decimal == ",":
        if "." in compact:
            raise _not_a_number(shown or text, N_("Decimals are written with a comma here."))
        compact = compact.replace(",", ".")
    if not re.fullmatch(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)", compact):
        example = N_("Write it with digits, such as 1234.56.")
        if style.decimal == ",":
            example = N_("Write it with digits, such as 1234,56.")
        raise _not_a_number(shown or text, example)
    try:
        return Decimal(compact)
    except InvalidOperation:  # too many digits for the context
        raise _not_a_number(shown or text, "") from None


def shortened(value: str) -> Problem:
    """The problem of a number such as 7.89123E+12, whose last digits a spreadsheet has dropped."""
    return Problem(
        N_("“%(value)s” is a number that a spreadsheet has shortened; its digits are lost."),
        N_("Format the column as text in the spreadsheet and export it again."),
        value=value,
    )


def _not_a_number(value: str, advice: str) -> Problem:
    return Problem(N_("“%(value)s” is not a number."), advice, value=value)
