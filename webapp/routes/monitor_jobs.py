"""The monitor's jobs: the list with its filters, what can be done to many, one job, what can be done to it."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import flask_babel
from flask import Blueprint, flash, jsonify, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext
from flask_login import current_user

from tasks.queue import TASKS
from webapp.errors import Conflict
from webapp.htmx import go_to, render_page, wants_fragment
from webapp.models.base import utc_now
from webapp.routes.flashes import flash_hint, flash_refusal
from webapp.routes.guards import require_admin
from webapp.routes.jobs import note_seen, take_up_again
from webapp.routes.monitor import DEEDS, NO_FINGERPRINT, WINDOWS, tell_result
from webapp.routes.monitor_logs import LEVELS
from webapp.routes.questions import ask
from webapp.services import job_actions, jobs, monitor
from webapp.services.monitor_types import SHOWN_STATES, Count, JobFilter

PAGE_ROWS = 50
LARGEST_ID = 2**63 - 1
ORDER = "order"
OLDEST = "oldest"  # the one order that an address names: newest first needs no word
FILTERS = ("state", "kind", "resource", "user", "window", "since", "until", "q", "fingerprint", ORDER)
CUSTOM_WINDOW = "custom"

blueprint = Blueprint("monitor_jobs", __name__, url_prefix="/monitor/jobs")
blueprint.before_request(require_admin)


@dataclass(frozen=True)
class StateTab:
    """One tab of the list: a state, or all of them, with how many jobs the filters leave in it."""

    state: str | None
    count: Count | None  # None: not counted, because that would take long
    url: str


# -- The list --------------------------------------------------------------------------------------------


@blueprint.get("/")
def list_jobs() -> ResponseReturnValue:
    """List everybody's jobs: filtered and paged by the address alone."""
    filters = read_filters(request.args)
    wanted = build_filter(filters)
    cursor = _read_cursor()
    is_oldest_first = ORDER in filters
    page = monitor.list_jobs(
        current_user, wanted, cursor=cursor, limit=PAGE_ROWS, is_oldest_first=is_oldest_first
    )
    is_whole = (
        cursor is None and page.next_cursor is None
    )  # all that match are on it: they need no second look
    tabs = _build_tabs(filters, wanted, Count(len(page.rows)) if is_whole else None)
    return render_page(
        "monitor/jobs.html",
        "monitor/_jobs.html",
        page=page,
        filters=filters,
        tabs=tabs,
        matching=next(tab.count for tab in tabs if tab.count and tab.state == wanted.state),
        choices=monitor.list_choices(current_user),
        windows={name: words for name, (_span, words) in WINDOWS.items()},
        custom_window=CUSTOM_WINDOW,
        cursor=cursor,
        url_without_cause=_url_without(filters, "fingerprint"),
        is_oldest_first=is_oldest_first,
        url_of_order=_url_without(filters | {ORDER: OLDEST}, *([ORDER] if is_oldest_first else [])),
    )


def _url_without(filters: dict[str, str], *names: str) -> str:
    rest = {name: text for name, text in filters.items() if name not in names}
    return url_for("monitor_jobs.list_jobs", **rest)  # type: ignore[arg-type]


def _read_cursor() -> int | None:
    """Return where the page begins; one beyond every id means the first page."""
    cursor = request.args.get("cursor", type=int)
    return cursor if cursor is not None and 0 < cursor <= LARGEST_ID else None


def read_filters(values: Any) -> dict[str, str]:
    """Return what an address or a form narrows the list to; what cannot be read is left out."""
    found = {name: values.get(name, "").replace("\0", "").strip() for name in FILTERS}
    if found["state"] not in SHOWN_STATES:
        found["state"] = ""
    if not found["user"].isdecimal() or len(found["user"]) > 15:
        found["user"] = ""
    if found[ORDER] != OLDEST:
        found[ORDER] = ""
    if found["window"] not in {*WINDOWS, CUSTOM_WINDOW}:
        found["window"] = ""
    for name in ("since", "until"):
        if found["window"] != CUSTOM_WINDOW or _read_day(found[name]) is None:
            found[name] = ""
    return {name: text for name, text in found.items() if text}


def build_filter(filters: dict[str, str]) -> JobFilter:
    """Return the service's filter of an address's parts.

    The time is when a job was asked for; of the failures of one cause it is when they failed, as the page of
    failures counts them.
    """
    since, until = _read_window(filters)
    fingerprint = filters.get("fingerprint")
    is_group = fingerprint is not None
    return JobFilter(
        state=filters.get("state"),
        task_type=filters.get("kind"),
        model_name=filters.get("resource"),
        user_id=int(filters["user"]) if "user" in filters else None,
        since=None if is_group else since,
        until=None if is_group else until,
        ended_since=since if is_group else None,
        ended_until=until if is_group else None,
        text=filters.get("q", ""),
        fingerprint="" if fingerprint == NO_FINGERPRINT else fingerprint,
    )


def _read_window(filters: dict[str, str]) -> tuple[datetime | None, datetime | None]:
    """Return the moments between which a job was asked for; days are the shop's days."""
    window = filters.get("window", "")
    if window in WINDOWS:
        return utc_now() - WINDOWS[window][0], None
    since, until = (_read_day(filters.get(name, "")) for name in ("since", "until"))
    return _start_of(since), _start_of(until + timedelta(days=1)) if until else None


def _read_day(text: str) -> date | None:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if date.min.year < day.year < date.max.year else None


def _start_of(day: date | None) -> datetime | None:
    if day is None:
        return None
    local: datetime = flask_babel.to_utc(datetime.combine(day, time()))
    return local.replace(tzinfo=UTC)


def _build_tabs(filters: dict[str, str], wanted: JobFilter, matching: Count | None) -> list[StateTab]:
    """Return the tabs with their counts; ``matching`` is the one of the tab that is open, where it is known."""
    is_small = not monitor.count_matching(current_user, JobFilter()).is_capped
    rest = {name: text for name, text in filters.items() if name != "state"}
    tabs = []
    for state in (None, *SHOWN_STATES):
        url = url_for("monitor_jobs.list_jobs", **({"state": state} if state else {}), **rest)  # type: ignore[arg-type]
        is_counted = is_small or state == wanted.state or _is_cheap(state, set(rest))
        found = matching if state == wanted.state else None
        if found is None and is_counted:
            found = monitor.count_matching(current_user, replace(wanted, state=state))
        tabs.append(StateTab(state, found, url))
    return tabs


def _is_cheap(state: str | None, narrowed_by: set[str]) -> bool:
    """Whether an index counts a tab: with a long history, nine slow counts would hold up the page."""
    by_value = narrowed_by - {"window", "since", "until", ORDER}
    if state is None:
        return len(by_value) <= 1 and by_value <= {"kind", "resource", "user"}
    return by_value <= {"kind"}


@blueprint.app_template_filter("count")
def format_count(count: Count) -> str:
    """A number that may be "at least"."""
    return str(flask_babel.format_decimal(count.value)) + ("+" if count.is_capped else "")


@blueprint.app_template_filter("deed_label")
def deed_label(action: str) -> str:
    """What somebody did to a job, for people."""
    known = {
        "retry": _("Tried again"),
        "cancel": _("Cancelled"),
        "run_now": _("Run now"),
        "force_release": _("Released by force"),
        "run_again": _("Run again"),
        "import_again": _("Imported again"),
    }
    return known.get(action, action)


# -- Many jobs -------------------------------------------------------------------------------------------


@blueprint.post("/<any(retries, cancellation, deletion):action>")
def act_on_many(action: str) -> ResponseReturnValue:
    """Ask whether it is meant, with the count; once it is, do it to each job whose state allows it."""
    filters = read_filters(request.form)
    everything = request.form.get("everything") == "yes"
    task_ids = list(dict.fromkeys(request.form.getlist("task_id")))
    back = _find_way_back(filters)
    if not everything and not task_ids:
        flash_hint(_("Tick the jobs first."))
        return go_to(back)
    if request.form.get("confirmed") != "yes":
        count = (
            monitor.count_matching(current_user, build_filter(filters))
            if everything
            else Count(len(task_ids))
        )
        fields = [] if everything else [("task_id", task_id) for task_id in task_ids]
        return _ask_about_many(action, filters, fields, count, back)
    try:
        result = DEEDS[action](
            current_user,
            task_ids=() if everything else task_ids,
            job_filter=build_filter(filters) if everything else None,
            expected=request.form.get("expected", type=int),
        )
    except Conflict as error:
        flash_refusal(error)
    else:
        flash(tell_result(action, result))
    return go_to(back)


def _find_way_back(filters: dict[str, str]) -> str:
    """Return the list as it was, or the page of failures for what was asked for there."""
    if request.form.get("back") == "failures":
        return url_for("monitor.list_failures", window=filters.get("window"))
    cursor = request.form.get("cursor")
    return url_for("monitor_jobs.list_jobs", **filters, **({"cursor": cursor} if cursor else {}))  # type: ignore[arg-type]


def _ask_about_many(
    action: str, filters: dict[str, str], ticked: list[tuple[str, str]], count: Count, back: str
) -> ResponseReturnValue:
    number = format_count(count)
    known = {
        "retries": (
            ngettext("Try %(number)s job again?", "Try %(number)s jobs again?", count.value, number=number),
            _("Failed and cancelled ones start over with fresh tries; the others are skipped."),
            _("Try again"),
        ),
        "cancellation": (
            ngettext("Cancel %(number)s job?", "Cancel %(number)s jobs?", count.value, number=number),
            _("Waiting ones end at once, running ones at their next batch; ended ones are skipped."),
            _("Cancel jobs"),
        ),
        "deletion": (
            ngettext("Delete %(number)s job?", "Delete %(number)s jobs?", count.value, number=number),
            _(
                "Their rows, files and log lines go for good; waiting and running ones are skipped."
                " What they imported stays."
            ),
            _("Delete"),
        ),
    }
    title, text, label = known[action]
    if count.is_capped:
        most = flask_babel.format_decimal(count.value)
        text += " " + _("At most %(most)s are taken at a time, the newest first.", most=most)
    kept = [(name, request.form.get(name, "")) for name in ("back", "cursor", "everything")]
    fields = [*ticked, *filters.items(), *(pair for pair in kept if pair[1])]
    if not count.is_capped:
        fields.append(("expected", str(count.value)))
    url = url_for("monitor_jobs.act_on_many", action=action)
    return ask(title, text, label, url, back, fields)


# -- One job ---------------------------------------------------------------------------------------------


@blueprint.get("/<uuid:task_id>")
def show_job(task_id: object) -> ResponseReturnValue:
    """Show all that is known of one job; who opens their own has read how it ended."""
    note_seen(jobs.get_job(current_user, str(task_id)))
    detail = monitor.get_job_detail(current_user, str(task_id))
    is_known = detail.row.job.task_type in TASKS
    if wants_fragment():
        return render_template("monitor/_job.html", detail=detail, is_known=is_known)
    lines = monitor.list_logs(current_user, task_id=str(task_id))
    return render_template("monitor/job.html", detail=detail, is_known=is_known, lines=lines, levels=LEVELS)


@blueprint.get("/<uuid:task_id>/raw")
def show_raw(task_id: object) -> ResponseReturnValue:
    """Answer with the job's row as JSON; secrets are hidden."""
    return jsonify(monitor.get_job_detail(current_user, str(task_id)).raw)


@blueprint.post("/<uuid:task_id>/retries")
def retry_job(task_id: object) -> ResponseReturnValue:
    """Give a job that failed or was cancelled a fresh set of tries."""
    return _act(task_id, jobs.retry_job)


@blueprint.post("/<uuid:task_id>/start")
def start_job(task_id: object) -> ResponseReturnValue:
    """Make a job that waits for its time due now."""
    return _act(task_id, job_actions.run_now)


@blueprint.post("/<uuid:task_id>/cancellation")
def cancel_job(task_id: object) -> ResponseReturnValue:
    """Cancel a job: at once when it waits, at its next batch when it runs."""
    return _act(task_id, jobs.cancel_job)


@blueprint.post("/<uuid:task_id>/release")
def release_job(task_id: object) -> ResponseReturnValue:
    """Take a job away from a worker that does not answer, once that is confirmed."""
    jobs.get_job(current_user, str(task_id))  # nobody is asked about what is not there
    if request.form.get("confirmed") != "yes":
        return ask(
            _("Take the job away from its worker?"),
            _(
                "Another worker goes on from the last batch that was saved. The first one, should it still"
                " live, can write nothing more."
            ),
            _("Force release"),
            url_for("monitor_jobs.release_job", task_id=task_id),
            _job_url(task_id),
        )
    return _act(task_id, job_actions.force_release)


@blueprint.post("/<uuid:task_id>/runs")
def run_again(task_id: object) -> ResponseReturnValue:
    """Ask for the same work once more, as a new job."""
    try:
        job = job_actions.run_again(current_user, str(task_id))
    except Conflict as error:
        flash_refusal(error)
        return go_to(_job_url(task_id))
    return go_to(_job_url(job.task_id))


@blueprint.post("/<uuid:task_id>/imports")
def import_again(task_id: object) -> ResponseReturnValue:
    """Take an import's file up again, as a new import whose mapping is looked at before it is started."""
    return take_up_again(task_id, _job_url(task_id))


@blueprint.post("/<uuid:task_id>/deletion")
def delete_job(task_id: object) -> ResponseReturnValue:
    """Delete a job that has ended, once that is confirmed."""
    jobs.get_job(current_user, str(task_id))  # nobody is asked about what is not there
    if request.form.get("confirmed") != "yes":
        return ask(
            _("Delete this job?"),
            _("Its row, its file and its log lines go for good. What it imported stays."),
            _("Delete"),
            url_for("monitor_jobs.delete_job", task_id=task_id),
            _job_url(task_id),
        )
    try:
        job_actions.delete_job(current_user, str(task_id))
    except Conflict as error:
        flash_refusal(error)
        return go_to(_job_url(task_id))
    flash(_("The job was deleted."))
    return go_to(url_for("monitor_jobs.list_jobs"))


def _act(task_id: object, action: Callable[..., object]) -> ResponseReturnValue:
    try:
        action(current_user, str(task_id))
    except Conflict as error:
        flash_refusal(error)
    return go_to(_job_url(task_id))


def _job_url(task_id: object) -> str:
    return url_for("monitor_jobs.show_job", task_id=task_id)
