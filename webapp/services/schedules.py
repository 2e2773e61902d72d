"""The periodic tasks as an operator sees and steers them."""

from datetime import datetime

from sqlalchemy.orm import Session

from webapp import live
from webapp.database import write_transaction
from webapp.errors import NotFound
from webapp.models import Schedule, TaskNotification, User
from webapp.models.base import utc_now
from webapp.services import jobs, periodic
from webapp.services.accounts import require_role
from webapp.services.job_audit import audit_schedule
from webapp.services.monitor_outcomes import list_outcomes
from webapp.services.monitor_states import get_now
from webapp.services.monitor_types import ScheduleRow
from webapp.services.periodic import SCHEDULES, Periodic
from webapp.services.upsert import upsert

SHOWN_OUTCOMES = 10


def list_schedules(actor: User) -> list[ScheduleRow]:
    """Return every schedule with its last and next run and how the last ones ended."""
    require_role(actor, "admin")
    now = get_now()
    return [_build_row(schedule, now) for schedule in SCHEDULES.values()]


def _build_row(schedule: Periodic, now: datetime) -> ScheduleRow:
    outcomes = list_outcomes(schedule.task_type, now, SHOWN_OUTCOMES)
    is_enabled = periodic.is_enabled(schedule.name)
    return ScheduleRow(
        name=schedule.name,
        task_type=schedule.task_type,
        expression=schedule.expression,
        words=schedule.words,
        is_enabled=is_enabled,
        last_run_at=outcomes[-1].at if outcomes else None,
        next_run_at=schedule.find_slot(now) + schedule.every if is_enabled else None,
        outcomes=outcomes,
    )


def set_enabled(actor: User, name: str, is_enabled: bool) -> None:  # noqa: FBT001 - a switch's two positions
    """Switch a schedule on or off. A slot that passes meanwhile is not run later."""
    number = _check(actor, name)
    with write_transaction() as session:
        _save(session, name, is_enabled)
        audit_schedule(session, actor, "enable" if is_enabled else "disable", number, name)
        live.publish(session, live.role_audience("admin"), live.JOBS_CHANGED, {"schedule": name})


def _save(session: Session, name: str, is_enabled: bool) -> None:  # noqa: FBT001 - the same
    values = {"is_enabled": is_enabled, "changed_at": utc_now()}
    statement = upsert(session, Schedule).values(name=name, **values)
    session.execute(statement.on_conflict_do_update(index_elements=[Schedule.name], set_=values))


def run_now(actor: User, name: str) -> TaskNotification:
    """Run a schedule's task beside its slots, even if it is off; one that still runs is returned instead."""
    number = _check(actor, name)
    with write_transaction() as session:
        schedule = SCHEDULES[name]
        made = jobs.create_job(session, schedule.task_type, actor=None, queue_key=schedule.queue_key)
        audit_schedule(session, actor, "run_now", number, name)
        return made


def _check(actor: User, name: str) -> int:
    require_role(actor, "admin")
    if name not in SCHEDULES:
        raise NotFound(name)
    return list(SCHEDULES).index(name) + 1
