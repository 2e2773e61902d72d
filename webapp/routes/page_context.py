"""What every page shows around its content: navigation, the bell's count, languages."""

from dataclasses import dataclass
from typing import Any

import flask_babel
from flask import Flask, request, url_for
from flask_babel import gettext as _
from flask_login import current_user

from webapp.forms import unavailable_reason
from webapp.locale import LANGUAGES, choose_language
from webapp.models import TaskNotification
from webapp.resources.base import Resource
from webapp.resources.registry import IMPORTABLE, RESOURCES
from webapp.resources.stock_counts import STOCK_COUNTS
from webapp.services import jobs, news, notices
from webapp.services.audit_export import AUDIT

FIRST_RESOURCE = "products"
NAMED_IN_BELL = 10


@dataclass(frozen=True)
class NavItem:
    """One line of the side navigation."""

    label: str
    icon: str
    url: str
    is_active: bool


@dataclass(frozen=True)
class NavGroup:
    """Lines of the side navigation under one heading, which may be empty."""

    label: str
    items: list[NavItem]


def init_app(app: Flask) -> None:
    """Give every template these names."""

    @app.context_processor
    def add_names() -> dict[str, Any]:
        language = choose_language()
        return {
            "languages": LANGUAGES,
            "language": language,
            "html_lang": language.replace("_", "-"),
            "text_direction": flask_babel.get_locale().text_direction,
            "navigation": build_navigation,
            "count_unread": count_unread,
            "list_unread_ids": list_unread_ids,
            "newest_fresh_notice": newest_fresh_notice,
            "get_resource": RESOURCES.get,
            "job_title": job_title,
            "kind_label": kind_label,
            "resource_label": resource_label,
            "unavailable_reason": unavailable_reason,
        }


def build_navigation() -> list[NavGroup]:
    """Return the side navigation: products first, then the resources in groups, then the work."""
    groups: dict[str, NavGroup] = {
        "": NavGroup("", [_item(_("Dashboard"), "layout-dashboard", "dashboard.show")])
    }
    ordered = sorted(RESOURCES.values(), key=lambda resource: resource.name != FIRST_RESOURCE)
    for resource in ordered:
        # A resource without a group stands in a nameless one of its own, where the registry puts it.
        key = resource.group or ("" if resource.name == FIRST_RESOURCE else resource.name)
        group = groups.setdefault(key, NavGroup(_(resource.group) if resource.group else "", []))
        group.items.append(_resource_item(resource))
    if current_user.is_authenticated and current_user.has_role("editor"):
        groups[STOCK_COUNTS.group].items.append(_item(_("Stock count"), STOCK_COUNTS.icon, "stock.new_count"))
    groups["work"] = NavGroup(
        _("Work"),
        [
            _item(_("Imports"), "file-import", "imports.list_imports"),
            _item(_("Exports"), "file-export", "exports.list_exports"),
            _item(_("Jobs"), "list-check", "jobs.list_jobs"),
        ],
    )
    if current_user.is_authenticated and current_user.is_admin:
        groups["administration"] = NavGroup(
            _("Administration"),
            [
                _monitor_item(),
                _item(_("Users"), "users", "users.list_users"),
                _item(_("Audit"), "history", "audit.list_changes"),
            ],
        )
    return list(groups.values())


def _item(label: str, icon: str, endpoint: str) -> NavItem:
    # A part of a page may be a blueprint of its own, within the page's or named after it: imports_steps.
    parts = {name.partition("_")[0] for name in request.blueprints}
    return NavItem(label, icon, url_for(endpoint), endpoint.partition(".")[0] in parts)


def _monitor_item() -> NavItem:
    is_active = (request.blueprint or "").startswith("monitor")
    return NavItem(_("Monitor"), "activity", url_for("monitor.show_overview"), is_active)


def _resource_item(resource: Resource) -> NavItem:
    is_active = request.blueprint == "records" and (request.view_args or {}).get("resource") is resource
    url = url_for("records.list_records", resource=resource)
    return NavItem(_(resource.label_plural), resource.icon, url, is_active)


def count_unread() -> int:
    """Return how many of the reader's notifications are unread."""
    return news.count_unread(current_user) if current_user.is_authenticated else 0


def list_unread_ids() -> list[str]:
    """Return the newest unread notifications' jobs: without a socket the page learns of them by the bell."""
    if not current_user.is_authenticated:
        return []
    return [job.task_id for job in jobs.list_jobs(current_user, limit=NAMED_IN_BELL, only_unread=True)]


def newest_fresh_notice() -> int:
    """Return the id of the reader's newest fresh notice of low stock, for pages without a socket; 0 for none."""
    found = notices.list_fresh(current_user, notices.STOCK_LOW) if current_user.is_authenticated else []
    return found[0].id if found else 0


def job_title(job: TaskNotification) -> str:
    """Name a job for people, such as "Export of Products"."""
    resource = IMPORTABLE.get(job.model_name or "")
    if job.model_name == AUDIT and job.task_type == "export":
        return _("Export of the audit")
    if resource is None:
        return kind_label(job.task_type)
    name = _(resource.label_plural)
    known = {
        "export": _("Export of %(name)s", name=name),
        "import": _("Import of %(name)s", name=name),
        "import_inspect": _("Reading a file of %(name)s", name=name),
        "import_check": _("Check of a file of %(name)s", name=name),
        "import_undo": _("Undo of an import of %(name)s", name=name),
        "bulk_edit": _("Change of %(name)s", name=name),
        "bulk_delete": _("Deletion of %(name)s", name=name),
    }
    return known.get(job.task_type, name)


def kind_label(task_type: str) -> str:
    """Name a kind of job for people, whatever it is about; a kind of another version as it is."""
    known = {
        "export": _("Export"),
        "import": _("Import"),
        "import_inspect": _("Reading a file"),
        "import_check": _("Check of a file"),
        "import_undo": _("Undo of an import"),
        "bulk_edit": _("Change of many records"),
        "bulk_delete": _("Deletion of many records"),
        "metrics": _("Dashboard figures"),
        "maintenance": _("Clean-up"),
        "prune": _("Deletion of old jobs"),
    }
    return known.get(task_type, task_type.replace("_", " ").capitalize())


def resource_label(name: str | None) -> str:
    """Name a kind of records for people; a name that is no longer known as it is."""
    resource = IMPORTABLE.get(name or "")
    return _(resource.label_plural) if resource else name or ""
