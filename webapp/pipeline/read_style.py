"""Decisions for the whole file: the decimal sign, the order of day and month, what to warn of."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from webapp.pipeline.problems import Notice, make_notice
from webapp.pipeline.read_evidence import ColumnEvidence
from webapp.resources.base import N_

Evidence = Mapping[str, ColumnEvidence]


@dataclass
class Decisions:
    """The file's style; ``decimals`` and ``date_orders`` hold the columns that differ from it."""

    decimal: str = "."
    date_order: str | None = "ymd"
    decimals: dict[str, str] = field(default_factory=dict)
    date_orders: dict[str, str | None] = field(default_factory=dict)
    notices: list[Notice] = field(default_factory=list)


def decide_style(columns: Evidence, fallback: str, *, typed: bool = False) -> Decisions:
    """Return what the columns prove; ``fallback`` is the decimal sign where they leave it open.

    ``typed`` files (XLSX, JSON) write their numbers with a point, so that ``1.234`` is clear there.
    """
    if typed:
        for evidence in columns.values():
            evidence.kinds["point"] += evidence.kinds.pop("unsure", 0)
            evidence.unsure_line = 0
    decisions = Decisions()
    _decide_decimals(columns, fallback, decisions)
    _decide_dates(columns, decisions)
    for name, evidence in columns.items():
        decisions.notices.extend(_list_damage(name, evidence))
    return decisions


def _decide_decimals(columns: Evidence, fallback: str, decisions: Decisions) -> None:
    proven: dict[str, str] = {}
    for name, evidence in columns.items():
        point, comma = evidence.kinds["point"], evidence.kinds["comma"]
        if evidence.is_number and point != comma:
            proven[name] = "." if point > comma else ","
    votes = Counter(proven.values())
    is_open = any(evidence.is_number and evidence.unsure_line for evidence in columns.values())
    if votes:
        decisions.decimal = max(votes, key=lambda sign: (votes[sign], sign == fallback))
    elif is_open:
        decisions.decimal = fallback
    decisions.decimals = {name: sign for name, sign in proven.items() if sign != decisions.decimal}
    for name, sign in decisions.decimals.items():
        message = N_("Column “%(column)s” writes decimals with “%(sign)s”, unlike the rest of the file.")
        decisions.notices.append(make_notice(message, column=name, sign=sign))
    for name, evidence in columns.items():
        if evidence.is_number and evidence.unsure_line and name not in proven:
            decisions.notices.append(_unsure_decimal(name, evidence, decisions.decimal, proven=bool(votes)))


def _unsure_decimal(name: str, evidence: ColumnEvidence, decimal: str, *, proven: bool) -> Notice:
    is_decimal = decimal in evidence.unsure_value
    if proven:
        message = (
            N_(
                "Column “%(column)s”: “%(value)s” (line %(line)s) is read with decimals, as in the rest of the file."
            )
            if is_decimal
            else N_(
                "Column “%(column)s”: “%(value)s” (line %(line)s) is read as thousands, as in the rest of the file."
            )
        )
    else:
        message = (
            N_(
                "Column “%(column)s”: “%(value)s” (line %(line)s) may be thousands or decimals; it is read with decimals."
            )
            if is_decimal
            else N_(
                "Column “%(column)s”: “%(value)s” (line %(line)s) may be thousands or decimals; it is read as thousands."
            )
        )
    return make_notice(message, column=name, value=evidence.unsure_value, line=evidence.unsure_line)


def _decide_dates(columns: Evidence, decisions: Decisions) -> None:
    dates = {name: evidence for name, evidence in columns.items() if evidence.is_date}
    orders = {name: _get_order(evidence) for name, evidence in dates.items()}
    votes = Counter(order for order in orders.values() if order)
    if dates:
        decisions.date_order = votes.most_common(1)[0][0] if votes else None
    for name, order in orders.items():
        if order != decisions.date_order:
            decisions.date_orders[name] = order
        if order is None:
            decisions.notices.append(_unsure_dates(name, dates[name]))


def _get_order(evidence: ColumnEvidence) -> str | None:
    """One day beyond 12 settles a column, unless another row proves the opposite."""
    return next(iter(evidence.orders)) if len(evidence.orders) == 1 else None


def _unsure_dates(name: str, evidence: ColumnEvidence) -> Notice:
    if evidence.orders:
        message = N_(
            "Column “%(column)s” mixes dates: the day comes first on line %(dmy)s and the month on line %(mdy)s."
        )
        return make_notice(message, column=name, **evidence.orders)
    message = N_(
        "Column “%(column)s”: nothing tells the day from the month, as in “%(value)s” (line %(line)s). "
        "Say which comes first."
    )
    return make_notice(message, column=name, value=evidence.date_value, line=evidence.date_line)


def _list_damage(name: str, evidence: ColumnEvidence) -> list[Notice]:
    notices = []
    if evidence.damaged:
        message = N_(
            "Column “%(column)s”: numbers that a spreadsheet has shortened, so that their digits are lost: %(count)s "
            "(“%(value)s” on line %(line)s is the first). Format the column as text there and export it again."
        )
        shown = {"count": evidence.damaged, "value": evidence.damaged_value, "line": evidence.damaged_line}
        notices.append(make_notice(message, column=name, **shown))
    if evidence.rounded and not evidence.exact_long:
        message = N_(
            "Column “%(column)s”: numbers of which a spreadsheet seems to have replaced the digits after the 15th by "
            "zeros: %(count)s (“%(value)s” on line %(line)s is the first)."
        )
        shown = {"count": evidence.rounded, "value": evidence.rounded_value, "line": evidence.rounded_line}
        notices.append(make_notice(message, column=name, **shown))
    if evidence.lost_zeros:
        message = N_(
            "Column “%(column)s”: codes that are shorter than the others and may have lost leading zeros: %(count)s."
        )
        notices.append(make_notice(message, column=name, count=evidence.lost_zeros))
    return notices
