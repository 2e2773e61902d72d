"""The pages. One blueprint a file, named here one by one; ``live`` registers the sockets by itself."""

from webapp.routes import (
    account,
    audit,
    auth,
    dashboard,
    exports,
    imports,
    imports_fixes,
    imports_steps,
    invitations,
    jobs,
    monitor,
    monitor_jobs,
    monitor_logs,
    notifications,
    record_bulk,  # noqa: F401 - naming it adds its pages to those of the records
    record_deletions,  # noqa: F401 - as above
    record_forms,  # noqa: F401 - as above
    record_options,  # noqa: F401 - as above
    record_show,  # noqa: F401 - as above
    records,
    settings,
    stock,
    users,
)

BLUEPRINTS = (
    auth.blueprint,
    invitations.blueprint,
    account.blueprint,
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
    users.blueprint,
    audit.blueprint,
)

__all__ = ["BLUEPRINTS"]
