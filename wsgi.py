"""The launcher of the web process: the only file that knows eventlet."""

import os
import signal
import sys
import warnings
from typing import Any

# Patched before anything else is imported: a lock made earlier would stop every green thread.
ASYNC_MODE = os.environ.get("ASYNC_MODE") or "eventlet"
if ASYNC_MODE == "eventlet":
    warnings.filterwarnings("ignore", message=r"\s*Eventlet is deprecated")
    import eventlet

    eventlet.monkey_patch()
    os.environ.setdefault("PSYCOPG_WAIT_FUNC", "wait_select")  # psycopg knows gevent only

from config import ConfigError, load_settings  # noqa: E402
from webapp import create_app, logs  # noqa: E402
from webapp.extensions import socketio  # noqa: E402
from webapp.routes import live  # noqa: E402


def main() -> None:
    """Serve until SIGTERM or Ctrl-C."""
    try:
        settings = load_settings()
    except ConfigError as error:
        sys.exit(f"Stockroom cannot start: {error}")
    if settings.async_mode != ASYNC_MODE:  # said in .env, which is read too late to patch or not to patch
        environ = {**os.environ, "ASYNC_MODE": settings.async_mode}
        os.execve(sys.executable, [sys.executable, __file__], environ)  # noqa: S606 - itself, once more
    app = create_app(settings)
    logs.use_stdout()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    live.init_app(app)
    live.start_event_reader(app)
    options: dict[str, Any] = (
        {"log_output": False} if settings.async_mode == "eventlet" else {"allow_unsafe_werkzeug": True}
    )
    try:
        socketio.run(app, host=settings.host, port=settings.port, **options)
    except KeyboardInterrupt:
        sys.exit(0)


if __name__ == "__main__":
    main()
