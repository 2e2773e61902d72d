"""What a check has found, gathered row by row and kept small however large the file is."""

import json
import time
from collections import Counter
from collections.abc import Sequence
from itertools import islice
from operator import attrgetter
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from webapp.extensions import settings
from webapp.pipeline.check import CheckedRow
from webapp.resources.base import Field
from webapp.resources.registry import get_resource
from webapp.resources.types import Reference, Style
from webapp.services.import_mapping import list_ignored
from webapp.services.import_source import RowSource
from webapp.services.import_stock_effect import StockEffect
from webapp.services.records import Plan, SaveContext

SAMPLES = 10
GROUPS = 50
GATHERED_GROUPS = 10_000
LINES = 5
UNKNOWN_VALUES = 200
NEW_NAMES = 200
ACTION = attrgetter("action")
UNKNOWN_REFERENCE = "There is no %(kind)s “%(value)s”."  # as the resolving of references says it


class CheckReport:
    """The report of one check. ``add`` takes what became of each row; ``to_json`` is what is stored."""

    def __init__(self, task_id: str, source: RowSource) -> None:
        self.task_id = task_id
        self.source = source
        self.counts = {"created": 0, "updated": 0, "unchanged": 0, "failed": 0}
        self.samples: dict[str, list[Plan]] = {"created": [], "updated": []}
        self.stock = StockEffect(source.resource)
        self.groups: dict[str, dict[str, Any]] = {}
        self.other = 0
        self.unknown: dict[str, dict[str, dict[str, Any]]] = {}
        self.will_create: dict[str, list[str]] = {}
        self.started = time.monotonic()
        self.seconds = 0.0

    def add(self, plans: Sequence[Plan]) -> list[CheckedRow]:
        """Take what would become of some rows; return those that would fail."""
        found = Counter(map(ACTION, plans))
        for action, count in found.items():
            self.counts[action] += count
        for action, samples in self.samples.items():
            if found[action] and len(samples) < SAMPLES:
                # Without what was before, an earlier row would have saved it.
                fit = (one for one in plans if one.action == action and (action == "created" or one.before))
                samples.extend(islice(fit, SAMPLES - len(samples)))
        failed = [plan for plan in plans if plan.action == "failed"] if found["failed"] else []
        for plan in failed:
            self._add_errors(plan)
        self.stock.add(plans)
        return [plan.row for plan in failed]

    def _add_errors(self, plan: Plan) -> None:
        for item in plan.row.problems:
            problem = item.problem
            key = json.dumps([item.column, problem.message, problem.params], default=str)
            group = self.groups.get(key)
            if group is None:
                if len(self.groups) >= GATHERED_GROUPS:
                    self.other += 1
                    continue
                group = self.groups[key] = {
                    "column": item.column,
                    "message": problem.message,
                    "advice": problem.advice,
                    "params": problem.params,
                    "count": 0,
                    "lines": [],
                }
            _count(group, plan.row.line)
            if problem.message == UNKNOWN_REFERENCE:
                self._add_unknown(plan, item.column, str(problem.params["value"]))

    def _add_unknown(self, plan: Plan, column: str, value: str) -> None:
        field = next((name for name, header in plan.row.columns.items() if header == column), column)
        values = self.unknown.setdefault(field, {})
        if value not in values and len(values) >= UNKNOWN_VALUES:
            return
        _count(values.setdefault(value, {"value": value, "count": 0, "lines": []}), plan.row.line)

    def finish(self, context: SaveContext) -> None:
        """Take the time, and what would be created on the way."""
        self.seconds = round(time.monotonic() - self.started, 3)
        created = context.will_create.items()
        self.will_create = {name: sorted(names.values())[:NEW_NAMES] for name, names in created}

    def to_json(self, session: Session) -> dict[str, Any]:
        """Return the report as it is stored; ``session`` names the records of the samples."""
        columns = self.source.dialect.columns
        mapping = {name: rule.column for name, rule in self.source.rules.items()}
        groups = sorted(self.groups.values(), key=lambda group: -group["count"])
        return {
            "job": self.task_id,
            "counts": self.counts,
            "seconds": self.seconds,
            "samples": _describe_samples(session, self.source, self.samples),
            "stock": self.stock.to_json(session),
            "errors": groups[:GROUPS],
            "other_errors": self.other + sum(group["count"] for group in groups[GROUPS:]),
            "unknown_values": {name: list(values.values()) for name, values in self.unknown.items()},
            "will_create": self.will_create,
            "ignored_columns": list_ignored(columns, mapping),
            "example_rows": self.source.examples,
        }


def _count(group: dict[str, Any], line: int) -> None:
    group["count"] += 1
    if len(group["lines"]) < LINES:
        group["lines"].append(line)


def _describe_samples(
    session: Session, source: RowSource, samples: dict[str, list[Plan]]
) -> list[dict[str, Any]]:
    plans = [plan for kind in samples.values() for plan in kind]
    names = _find_names(session, source.resource.writable_fields, plans)
    return [
        {
            "line": plan.row.line,
            "action": plan.action,
            "key": " ".join(str(plan.row.values.get(name, "")) for name in source.resource.key).strip(),
            "changes": _describe_changes(source.resource.writable_fields, plan, names),
        }
        for plan in plans
    ]


def _describe_changes(
    fields: Sequence[Field], plan: Plan, names: dict[tuple[str, int], str]
) -> list[dict[str, Any]]:
    style = Style(timezone=settings().zone)
    changes = []
    for field in fields:
        before, after = (plan.before or {}).get(field.column), plan.after.get(field.column)
        if field.name == "quantity" and plan.opening:
            after = plan.opening
        if before == after:
            continue
        texts = [
            _format(field, value, plan.row.values.get(field.name), names, style) for value in (before, after)
        ]
        changes.append({"field": field.name, "before": texts[0], "after": texts[1]})
    return changes


def _format(
    field: Field, value: Any, written: Any, names: dict[tuple[str, int], str], style: Style
) -> str | None:
    if value is None:
        return None
    if isinstance(field.type, Reference):
        return names.get((field.type.resource, value), str(written))
    return field.type.format(value, style)


def _find_names(
    session: Session, fields: Sequence[Field], plans: Sequence[Plan]
) -> dict[tuple[str, int], str]:
    """Return what the records are called that the samples refer to, before and after."""
    found: dict[tuple[str, int], str] = {}
    for field in fields:
        if not isinstance(field.type, Reference):
            continue
        values = {side.get(field.column) for plan in plans for side in (plan.before or {}, plan.after)}
        target = get_resource(field.type.resource)
        name = getattr(target.model, target.reference_field)
        query = select(target.model.id, name).where(target.model.id.in_(values - {None}))
        found |= {(target.name, row[0]): row[1] for row in session.execute(query)}
    return found
