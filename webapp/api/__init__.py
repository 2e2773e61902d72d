"""The JSON edges: thin, because every verb is a service. One blueprint a file, named here one by one."""

from flask import Flask

from webapp.api import auth, limits, specification
from webapp.security import is_api_request

BLUEPRINTS = (specification.blueprint,)


def init_app(app: Flask) -> None:
    """Add the API to an application."""

    @app.before_request
    def require_token() -> None:
        if is_api_request():
            auth.authenticate_request()

    app.after_request(limits.add_headers)
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
