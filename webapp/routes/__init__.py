"""The pages. One blueprint a file, named here one by one; ``live`` registers the sockets by itself."""

from webapp.routes import (
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
    records,
    settings,
    stock,
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
    stock.blueprint,
    settings.blueprint,
    monitor.blueprint,
    monitor_jobs.blueprint,
    monitor_logs.blueprint,
)

__all__ = ["BLUEPRINTS"]
