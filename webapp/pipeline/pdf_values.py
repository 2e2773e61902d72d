"""The values of a PDF as people of a language write them, and the few words of its own."""

from collections.abc import Callable
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from webapp.pipeline.write_base import ExportInfo
from webapp.resources.types import DateTime, FieldType, Integer, Money

TRANSLATIONS = Path(__file__).parents[1] / "translations"
PLACES = (2, 3, 4)  # decimals of amounts: in a column all alike, so that they stand in line
_PROBES = (1234, 12345678, -1234567, 999)  # numbers that show how a language groups digits


class Formatter:
    """Formats values for the reader of one export. Babel decides how; a shortcut repeats it fast."""

    def __init__(self, info: ExportInfo) -> None:
        from babel import Locale  # noqa: PLC0415 - web has it anyway, a child that writes CSV has not

        self.locale = Locale.parse(info.language.replace("-", "_"))
        self.zone = info.zone
        self._moment = _build_moment_format(self.locale)
        self._integer = _build_integer_format(self.locale)
        self._money = {places: _build_money_format(self.locale, places) for places in PLACES}

    def format(self, value: Any, kind: FieldType, places: int = PLACES[0]) -> str:
        """Return the text of a value, an amount with at least so many decimals; None is the empty text."""
        if value is None:
            return ""
        if isinstance(kind, Money):
            return self._money[places](value)
        if isinstance(kind, Integer):
            return self._integer(value)
        if isinstance(kind, DateTime):
            return self.format_moment(value)
        return str(value)

    def format_moment(self, moment: datetime) -> str:
        """Return the day and the minute on the reader's clock."""
        return self._moment(moment.astimezone(self.zone))


def get_places(value: Any) -> int:
    """Return how many decimals an amount needs."""
    digits = f"{value:.{PLACES[-1]}f}".rstrip("0").partition(".")[2]
    return max(PLACES[0], len(digits))


def _build_integer_format(locale: Any) -> Callable[[Any], str]:
    """Return the format of whole numbers."""
    signs = _get_signs(locale)

    def fast(value: Any) -> str:
        return f"{value:,d}".translate(signs)

    return _choose(fast, locale, None)


def _build_money_format(locale: Any, places: int) -> Callable[[Any], str]:
    """Return the format of amounts with at least so many decimals."""
    signs = _get_signs(locale)
    optional = PLACES[-1] - places

    def fast(value: Any) -> str:
        text = f"{value:,.{PLACES[-1]}f}"
        kept = text[: len(text) - optional]
        return (kept + text[len(kept) :].rstrip("0")).translate(signs)

    return _choose(fast, locale, "#,##0." + "0" * places + "#" * optional)


def _get_signs(locale: Any) -> dict[int, str]:
    symbols = locale.number_symbols["latn"]
    return str.maketrans({",": symbols["group"], ".": symbols["decimal"], "-": symbols["minusSign"]})


def _choose(fast: Callable[[Any], str], locale: Any, pattern: str | None) -> Callable[[Any], str]:
    """Return Babel's own format, unless the shortcut groups digits alike; it is ten times faster."""
    from babel.numbers import format_decimal  # noqa: PLC0415 - as above

    def slow(value: Any) -> str:
        return str(format_decimal(value, format=pattern, locale=locale))

    return fast if all(fast(probe) == slow(probe) for probe in _PROBES) else slow


def _build_moment_format(locale: Any) -> Callable[[datetime], str]:
    """Return Babel's medium date with a short time, remembering days and minutes."""
    from babel.dates import format_date, format_time, get_datetime_format  # noqa: PLC0415 - as above

    both = str(get_datetime_format("medium", locale=locale)).replace("'", "")

    @lru_cache(maxsize=10_000)
    def format_day(year: int, month: int, day: int) -> str:
        return str(format_date(datetime(year, month, day), "medium", locale))  # noqa: DTZ001 - a day

    @lru_cache(maxsize=1_440)
    def format_minute(hour: int, minute: int) -> str:
        return str(format_time(datetime(2000, 1, 1, hour, minute), "short", locale=locale))  # noqa: DTZ001

    def format_moment(moment: datetime) -> str:
        day = format_day(moment.year, moment.month, moment.day)
        return both.replace("{1}", day).replace("{0}", format_minute(moment.hour, moment.minute))

    return format_moment


def get_translations(language: str) -> Any:
    """Return the catalogue of a language; an empty one, which says everything in English, if none."""
    from babel.support import NullTranslations, Translations  # noqa: PLC0415 - as above

    found = Translations.load(TRANSLATIONS, [language.replace("-", "_")])
    return found if isinstance(found, Translations) else NullTranslations()
