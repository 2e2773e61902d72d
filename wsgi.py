"""The launcher of the web process: the only file that knows eventlet."""

import gc
import os
import signal
import sys
import warnings
from typing import Any

gc.disable()  # until all is loaded: what is loaded stays, and looking through it took a sixth of the start

# Patched before anything else is imported: a lock made earlier would stop every green thread.
ASYNC_MODE = os.environ.get("ASYNC_MODE") or "eventlet"
if ASYNC_MODE == "eventlet":
    warnings.filterwarnings("ignore", message=r"\s*Eventlet is deprecated")
    import eventlet

    eventlet.monkey_patch()
    os.environ.setdefault("PSYCOPG_WAIT_FUNC", "wait_select")  # psycopg knows gevent only

from config import ConfigError, load_settings  # noqa: E402
from tasks.manager import leave_with_manager  # noqa: E402
from webapp import create_app, logs  # noqa: E402
from webapp.extensions import socketio  # noqa: E402
from webapp.routes import live  # noqa: E402

GRACE_SECONDS = 2  # honcho waits for 5


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
    _leave_when_told()
    leave_with_manager()
    live.init_app(app)
    live.start_event_reader(app)
    gc.freeze()  # what lives as long as the process is looked through no more (measured: 130 ms without any page)
    gc.enable()
    options: dict[str, Any] = (
        {"log_output": False} if settings.async_mode == "eventlet" else {"allow_unsafe_werkzeug": True}
    )
    try:
        socketio.run(app, host=settings.host, port=settings.port, **options)
    except KeyboardInterrupt:
        pass
    except SystemExit as stop:
        if stop.code:  # the port is taken
            raise
    # At once: while the interpreter takes itself apart it knows our alarm no more, and would die of it
    # (measured on a machine that is loaded tenfold: exit code -14).
    sys.stdout.flush()
    os._exit(0)


def _leave_when_told() -> None:
    """On SIGTERM stop serving: what is at hand has a moment to end, open sockets would stay for ever."""
    if ASYNC_MODE == "eventlet":
        server, hub = eventlet.getcurrent(), eventlet.hubs.get_hub()

    def leave(*_: object) -> None:
        signal.signal(signal.SIGALRM, lambda *_: os._exit(0))
        signal.setitimer(signal.ITIMER_REAL, GRACE_SECONDS)
        if ASYNC_MODE == "eventlet":
            # Not here: the greenlet that the signal happens to meet may swallow it (measured: 1 stop in 4).
            hub.schedule_call_global(0, server.throw, SystemExit)
        else:
            sys.exit(0)

    signal.signal(signal.SIGTERM, leave)


if __name__ == "__main__":
    main()
