"""The JSON edges: thin, because every verb is a service. One blueprint a file, named here one by one."""

from flask import Flask
from werkzeug.exceptions import Unauthorized

from webapp.api import (
    auth,
    docs,
    events,
    exports,
    imports,
    job_errors,
    limits,
    metrics,
    prometheus,
    records,
    specification,
)
from webapp.api.blueprint import ApiBlueprint
from webapp.security import is_api_request

BLUEPRINTS: tuple[ApiBlueprint, ...] = (
    events.blueprint,
    exports.blueprint,
    imports.blueprint,
    job_errors.blueprint,  # that of jobs, with one address more
    metrics.blueprint,
    *records.BLUEPRINTS,  # one a kind of record
    specification.blueprint,
)


def init_app(app: Flask) -> None:
    """Add the API to an application."""

    @app.before_request
    def require_token() -> None:
        if is_api_request():
            limits.count_unmatched()
            try:
                auth.authenticate_request()
            except Unauthorized:
                limits.count_refused()
                raise

    app.json.sort_keys = False  # type: ignore[attr-defined]  # in the order in which schemas declare them
    app.json.ensure_ascii = False  # type: ignore[attr-defined]
    app.after_request(limits.add_headers)
    prometheus.init_app(app)
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
    app.register_blueprint(docs.blueprint)
    app.register_blueprint(prometheus.blueprint)
