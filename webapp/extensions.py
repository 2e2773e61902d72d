"""The extensions, unbound. ``webapp.app`` binds them to an application."""

from flask import Flask, current_app
from flask_babel import Babel
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from flask_login import LoginManager
from flask_migrate import Migrate
from flask_socketio import SocketIO
from flask_sqlalchemy import SQLAlchemy
from flask_wtf.csrf import CSRFProtect
from htmx_flask import Htmx
from sqlalchemy import MetaData
from sqlalchemy.orm import DeclarativeBase

from config import Settings


class Base(DeclarativeBase):
    """The parent of every model. Constraints get names, so that migrations can find them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


db = SQLAlchemy(model_class=Base, session_options={"expire_on_commit": False, "autoflush": False})
migrate = Migrate()
login = LoginManager()
csrf = CSRFProtect()
socketio = SocketIO()
babel = Babel()
htmx = Htmx()
limiter = Limiter(key_func=get_remote_address)


def settings() -> Settings:
    """Return the settings of the application at hand."""
    return settings_of(current_app)


def settings_of(app: Flask) -> Settings:
    """Return the settings that an application was built with."""
    found: Settings = app.extensions["stockroom_settings"]
    return found
