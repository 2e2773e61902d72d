"""The form of a stock count: its lines travel with it, so that nothing is kept before it is applied."""

from dataclasses import dataclass, field
from typing import Any

from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict

from webapp.resources.base import N_
from webapp.resources.registry import get_resource
from webapp.resources.types import Integer, Problem, fold_key
from webapp.services import queries, stock_counting

COUNTED = Integer(minimum=0)
PIECES = Integer(minimum=1)
SHOWN_MATCHES = 8


@dataclass
class CountLine:
    """One product of the list: what was typed as its count, and what the stock says."""

    serial_number: str
    text: str
    product: Any = None
    problem: Problem | None = None
    counted: int | None = None

    @property
    def difference(self) -> int | None:
        """How many pieces more were counted than there should be."""
        if self.product is None or self.counted is None:
            return None
        return self.counted - int(self.product.quantity)


@dataclass
class CountForm:
    """What the page shows and sends."""

    reference: str
    reason: str = ""
    scan: str = ""
    pieces: str = "1"
    lines: list[CountLine] = field(default_factory=list)
    matches: list[Any] = field(default_factory=list)
    said: str = ""
    is_scanning: bool = True  # whether what is scanned next belongs into its field, wherever the focus was
    problem: Problem | None = None
    scan_problem: Problem | None = None

    @property
    def problems(self) -> list[tuple[str, Problem]]:
        """What is wrong, with the id of the control where it can be set right."""
        own = [("scan", self.problem)] if self.problem else []
        return own + [(f"counted-{at}", line.problem) for at, line in enumerate(self.lines) if line.problem]

    def read_counts(self) -> dict[str, int]:
        """Return the counts that can be read, by serial number."""
        return {line.serial_number: line.counted for line in self.lines if line.counted is not None}


def begin_count() -> CountForm:
    """Return an empty form."""
    return CountForm(stock_counting.make_reference())


def read_form(data: MultiDict[str, str]) -> CountForm:
    """Return what was sent, with the stock of this moment beside each line."""
    removed = fold_key(data.get("remove", ""))
    sent = zip(data.getlist("serial"), data.getlist("counted"), strict=False)
    form = CountForm(
        is_scanning=any(data.get(name) for name in ("scan", "pick", "remove")),
        reference=data.get("reference") or stock_counting.make_reference(),
        reason=data.get("reason", "").strip(),
        scan=(data.get("pick") or data.get("scan", "")).strip(),
        pieces=data.get("pieces", "").strip() or "1",
        lines=[CountLine(serial, text.strip()) for serial, text in sent if fold_key(serial) != removed],
    )
    _compare(form.lines)
    return form


def _compare(lines: list[CountLine]) -> None:
    """Read what was typed, and find what the stock says."""
    products = stock_counting.find_products([line.serial_number for line in lines])
    for line in lines:
        line.product = products.get(fold_key(line.serial_number))
        line.counted = None
        line.problem = _read_count(line)


def _read_count(line: CountLine) -> Problem | None:
    """Take what was typed as the count of a line, or return why that is none."""
    if line.product is None:
        return Problem(N_("There is no product “%(value)s” any more."), value=line.serial_number)
    if not line.text:
        return Problem(N_("Write how many pieces of %(product)s are there."), product=line.serial_number)
    try:
        line.counted = COUNTED.parse(line.text)
    except Problem as problem:
        return problem
    return None


def add_scanned(form: CountForm) -> None:
    """Put what was typed or scanned on the list: a line of its own, or more pieces of one that is there."""
    if not form.scan:
        return
    product = stock_counting.find_products([form.scan]).get(fold_key(form.scan))
    if product is None:
        form.matches = _find_matches(form.scan)
        if not form.matches:
            form.scan_problem = Problem(
                N_("No product is found by “%(value)s”."),
                N_("Type its serial number, or a part of its title."),
                value=form.scan,
            )
        return
    try:
        pieces = PIECES.parse(form.pieces)
    except Problem as problem:
        form.scan_problem = problem
        return
    line = next((item for item in form.lines if item.product and item.product.id == product.id), None)
    if line is None:
        form.lines.insert(0, CountLine(product.serial_number, str(pieces)))
    else:
        line.text = str((line.counted or 0) + pieces)
    _compare(form.lines)
    form.said = _("%(title)s: %(count)s counted", title=product.title, count=line.text if line else pieces)
    form.scan, form.pieces = "", "1"


def _find_matches(text: str) -> list[Any]:
    resource = get_resource("products")
    fields = [resource.get_field(name) for name in ("serial_number", "title", "quantity")]
    return list(queries.list_records(resource, fields, filters={"q": text}, limit=SHOWN_MATCHES).rows)
