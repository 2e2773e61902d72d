"""The pages. One blueprint a file, named here one by one; ``live`` registers the sockets by itself."""

from webapp.routes import (
    audit,
    auth,
    dashboard,
    exports,
    imports,
    imports_fixes,
    imports_steps,
    jobs,
    monitor,
    monitor_jobs,
    monitor_logs,
    notifications,
    record_show,  # noqa: F401 - its addresses are of the blueprint of records
    records,
    settings,
)

BLUEPRINTS = (
    auth.blueprint,
    dashboard.blueprint,
    records.blueprint,
    imports.blueprint,
    imports_steps.blueprint,
    imports_fixes.blueprint,
    exports.blueprint,
    jobs.blueprint,
    notifications.blueprint,
    settings.blueprint,
    monitor.blueprint,
    monitor_jobs.blueprint,
    monitor_logs.blueprint,
    audit.blueprint,
)

__all__ = ["BLUEPRINTS"]
