"""The wiring of the application: one flat list."""

from collections.abc import Mapping
from typing import Any

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from config import ROOT, Settings, load_settings
from tasks import bulk, exports, imports, maintenance, metrics, queue  # noqa: F401 - naming them registers their tasks
from webapp import api, cli, database, error_pages, filters, locale, logs, security
from webapp.api import health
from webapp.extensions import babel, csrf, db, htmx, limiter, login, migrate
from webapp.locale import choose_language, choose_timezone
from webapp.routes import BLUEPRINTS
from webapp.services import user_sessions


def build_app(config: Settings | Mapping[str, str] | None = None) -> Flask:
    """Return a new application. ``config``: settings, or variables, or None for the environment."""
    settings = config if isinstance(config, Settings) else load_settings(config)
    app = Flask("webapp", root_path=str(ROOT), template_folder="templates", static_folder="static")
    app.extensions["stockroom_settings"] = settings
    app.config.from_mapping(_flask_config(settings))
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    logs.configure(settings)
    error_pages.init_app(app)  # first of all: whatever refuses a request names it
    _bind_extensions(app, settings)
    security.init_app(app, settings)
    filters.init_app(app)
    cli.init_app(app)
    api.init_app(app)
    app.register_blueprint(health.blueprint)
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
    if settings.trusted_proxies:
        hops = settings.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops)  # type: ignore[method-assign]
    return app


def _flask_config(settings: Settings) -> dict[str, Any]:
    return {
        "SECRET_KEY": settings.secret_key,
        "SQLALCHEMY_DATABASE_URI": settings.sqlalchemy_url,
        "SQLALCHEMY_ENGINE_OPTIONS": database.engine_options(settings),
        "SESSION_COOKIE_NAME": "stockroom_session",
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "SESSION_COOKIE_SECURE": settings.is_production and settings.trusted_proxies > 0,
        "PERMANENT_SESSION_LIFETIME": user_sessions.LIFETIME,
        # A slow answer must not bring back the session that its request began with: it would undo what another
        # one has put into the cookie since, such as a notice or the choice of a zone.
        "SESSION_REFRESH_EACH_REQUEST": False,
        "MAX_CONTENT_LENGTH": 1 << 20,  # upload routes raise it for themselves
        "WTF_CSRF_TIME_LIMIT": None,  # as long as the session: a form left open overnight still works
        "BABEL_TRANSLATION_DIRECTORIES": "webapp/translations",
        "BABEL_DEFAULT_LOCALE": settings.app_language,
        "BABEL_DEFAULT_TIMEZONE": settings.app_timezone,
        "RATELIMIT_STORAGE_URI": settings.redis_url or "memory://",
        # A frozen Redis must not hold a page.
        "RATELIMIT_STORAGE_OPTIONS": {"socket_timeout": 0.3, "socket_connect_timeout": 0.3}
        if settings.redis_url
        else {},
        "RATELIMIT_HEADERS_ENABLED": False,  # webapp.api.limits writes those of the standard
        "RATELIMIT_SWALLOW_ERRORS": True,
    }


def _bind_extensions(app: Flask, settings: Settings) -> None:
    db.init_app(app)
    with app.app_context():
        database.listen_to_engine(db.engine)
    migrate.init_app(app, db, directory=str(ROOT / "migrations"), render_as_batch=True, compare_type=True)
    login.init_app(app)
    login.user_loader(security.load_user)
    csrf.init_app(app)
    babel.init_app(app, locale_selector=choose_language, timezone_selector=choose_timezone)
    locale.init_app(app)
    htmx.init_app(app)
    limiter.init_app(app)
    queue.huey.init_app(app, settings)
