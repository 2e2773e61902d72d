"""The monitor: the house at a glance, its consumers, schedules and failures. For administrators."""

from datetime import timedelta

from flask import Blueprint, flash, jsonify, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext
from flask_login import current_user

from webapp.errors import Conflict
from webapp.extensions import settings
from webapp.htmx import go_to, page_before, render_page
from webapp.locale import MONITOR_TIMEZONE, choose_timezone, is_known_timezone
from webapp.models.base import utc_now
from webapp.routes.flashes import flash_refusal
from webapp.routes.guards import require_admin
from webapp.services import job_actions, monitor, schedules
from webapp.services.monitor_types import ActionResult, JobFilter
from webapp.version import get_version

WINDOWS = {
    "1h": (timedelta(hours=1), _l("last hour")),
    "24h": (timedelta(hours=24), _l("last 24 hours")),
    "7d": (timedelta(days=7), _l("last 7 days")),
    "30d": (timedelta(days=30), _l("last 30 days")),
}
DEFAULT_WINDOW = "24h"
NEWEST = 6
UTC = "UTC"
NO_FINGERPRINT = "none"  # how an address says that a failure has none

blueprint = Blueprint("monitor", __name__, url_prefix="/monitor")
blueprint.before_request(require_admin)


@blueprint.app_template_global()
def monitor_pages() -> list[tuple[str, str, str]]:
    """Return the monitor's own navigation: endpoint, name and picture of each page."""
    return [
        ("monitor.show_overview", _("Overview"), "activity"),
        ("monitor_jobs.list_jobs", _("Jobs"), "list-check"),
        ("monitor.list_failures", _("Failures"), "alert-triangle"),
        ("monitor.list_schedules", _("Schedules"), "calendar"),
        ("monitor.list_consumers", _("Consumers"), "server"),
        ("monitor_logs.show_logs", _("Logs"), "file-text"),
    ]


@blueprint.app_template_global()
def monitor_place() -> dict[str, str]:
    """Return which house this is, so that nobody takes one for another: environment and version."""
    is_production = settings().is_production
    return {
        "environment": "production" if is_production else "development",
        "label": _("Production") if is_production else _("Development"),
        "version": get_version(),
    }


@blueprint.app_template_global()
def monitor_zones() -> list[tuple[str, str]]:
    """Return the zones in which the monitor can show times; the browser's own is added by monitor.js."""
    house = settings().app_timezone
    chosen = choose_timezone()
    names = dict.fromkeys((house, UTC, chosen))
    return [(name, _("%(zone)s (of the shop)", zone=name) if name == house else name) for name in names]


@blueprint.app_template_global()
def current_zone() -> str:
    """Return the zone in which the monitor shows times."""
    return choose_timezone()


@blueprint.post("/timezone")
def change_timezone() -> ResponseReturnValue:
    """Remember the zone of the monitor's times, for this browser; one that is not known changes nothing."""
    zone = request.form.get("zone", "")
    if is_known_timezone(zone):
        session[MONITOR_TIMEZONE] = zone
    return go_to(page_before(url_for("monitor.show_overview")))


@blueprint.get("/overview.json")
def show_numbers() -> ResponseReturnValue:
    """Answer with the overview's numbers as JSON, for scripts."""
    return jsonify(monitor.describe_overview(monitor.get_overview(current_user)))


@blueprint.get("/")
def show_overview() -> ResponseReturnValue:
    """Show the counts, the pace and the health of the house."""
    return render_page(
        "monitor/overview.html",
        "monitor/_overview.html",
        overview=monitor.get_overview(current_user),
        running=monitor.list_jobs(current_user, JobFilter(state="processing"), limit=NEWEST).rows,
        failed=monitor.list_jobs(current_user, JobFilter(state="failed"), limit=NEWEST).rows,
    )


@blueprint.get("/consumers/")
def list_consumers() -> ResponseReturnValue:
    """Show the worker processes."""
    return render_page(
        "monitor/consumers.html",
        "monitor/_consumers.html",
        consumers=monitor.list_consumers(current_user),
    )


@blueprint.get("/schedules/")
def list_schedules() -> ResponseReturnValue:
    """Show what runs by itself, when, and how it went."""
    return render_page(
        "monitor/schedules.html",
        "monitor/_schedules.html",
        schedules=monitor.list_schedules(current_user),
        now=utc_now(),
    )


@blueprint.post("/schedules/<name>/runs")
def run_schedule(name: str) -> ResponseReturnValue:
    """Run a schedule's work now, beside its slots."""
    try:
        job = schedules.run_now(current_user, name)
    except Conflict as error:
        flash_refusal(error)
        return go_to(url_for("monitor.list_schedules"))
    return go_to(url_for("monitor_jobs.show_job", task_id=job.task_id))


@blueprint.post("/schedules/<name>/switch")
def switch_schedule(name: str) -> ResponseReturnValue:
    """Let a schedule run, or not."""
    is_enabled = request.form.get("state") == "on"
    schedules.set_enabled(current_user, name, is_enabled=is_enabled)
    flash(_("%(name)s runs on schedule.", name=name) if is_enabled else _("%(name)s is off.", name=name))
    return go_to(url_for("monitor.list_schedules"))


@blueprint.get("/failures/")
def list_failures() -> ResponseReturnValue:
    """Show the failures of a window of time, grouped by their cause."""
    window = request.args.get("window", DEFAULT_WINDOW)
    window = window if window in WINDOWS else DEFAULT_WINDOW
    return render_page(
        "monitor/failures.html",
        "monitor/_failures.html",
        groups=monitor.list_failures(current_user, utc_now() - WINDOWS[window][0]),
        window=window,
        windows={name: words for name, (_span, words) in WINDOWS.items()},
        no_fingerprint=NO_FINGERPRINT,
    )


def tell_result(action: str, result: ActionResult) -> str:
    """Say how many jobs an action was done to, and how many it left alone."""
    done = {
        "retries": ngettext("%(num)d job is tried again.", "%(num)d jobs are tried again.", result.done),
        "cancellation": ngettext("%(num)d job is cancelled.", "%(num)d jobs are cancelled.", result.done),
        "deletion": ngettext("%(num)d job was deleted.", "%(num)d jobs were deleted.", result.done),
    }[action]
    if not result.skipped:
        return str(done)
    skipped = ngettext(
        "%(num)d was skipped: its state does not allow it.",
        "%(num)d were skipped: their state does not allow it.",
        result.skipped,
    )
    return f"{done} {skipped}"


DEEDS = {
    "retries": job_actions.retry_many,
    "cancellation": job_actions.cancel_many,
    "deletion": job_actions.delete_many,
}
