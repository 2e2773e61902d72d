"""Records that rows name and that do not exist yet: they are created with the first good row that needs them."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from webapp.pipeline.check import CheckedRow
from webapp.resources.types import fold_key

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from webapp.services.record_plan import Plan, SaveContext


@dataclass(slots=True, eq=False)
class MissingRecord:
    """What will be created for a reference field; ``plan`` is set while it is saved.

    Its values may hold another one: a model's brand.
    """

    resource: str
    field_name: str
    name: str
    values: dict[str, Any]
    line: int
    plan: "Plan | None" = None

    def with_parents(self) -> "Iterator[MissingRecord]":
        """Yield what has to be created for this one, in order, and then itself."""
        for value in self.values.values():
            if type(value) is MissingRecord:
                yield from value.with_parents()
        yield self


def note_missing(plans: "Sequence[Plan]", context: "SaveContext") -> None:
    """Give each missing record to the first good plan that needs it, and to the job's report."""
    noted: set[MissingRecord] = set()
    for plan in plans:
        if plan.action == "failed":
            continue
        for value in list(plan.after.values()):
            if type(value) is not MissingRecord:
                continue
            for one in value.with_parents():
                if one not in noted and one.plan is None:
                    noted.add(one)
                    plan.needs = (*plan.needs, one)
                    context.will_create.setdefault(one.field_name, {}).setdefault(
                        fold_key(one.name), one.name
                    )


def fill_in_missing(values: dict[str, Any]) -> None:
    """Put ids in the place of what was missing and is created by now; 0 in a dry run, which creates nothing."""
    for column, value in values.items():
        if type(value) is MissingRecord:
            values[column] = value.plan.record_id if value.plan else 0


def forget_missing(row: CheckedRow) -> None:
    """The database has rolled back what was created for this row."""
    for value in row.values.values():
        if type(value) is MissingRecord:
            for one in value.with_parents():
                one.plan = None
