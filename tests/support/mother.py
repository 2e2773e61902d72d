"""A process that has loaded what the application needs, and forks what a test would start anew.

Loading takes most of a start (measured: 1.2 of 1.4 s of processor time), and the browser's tests start some
hundred and fifty processes. The forked ones run the same commands from their first line, in a session and an
environment of their own. What is about processes themselves is tested with ones that are really started.

Run as a script it reads one JSON object a line (``argv``, ``environment``, ``log``) and answers with lines:
``started PID``, and whenever one has ended ``ended PID STATUS``, as ``waitpid`` gives it.
"""

import ctypes
import importlib
import json
import os
import runpy
import signal
import sys
import time
import traceback
import warnings
from types import FrameType
from typing import Any

PR_SET_PDEATHSIG = 1  # linux/prctl.h
LOADED = {
    "web": ("webapp.app", "webapp.routes.live", "webapp.logs", "tasks.manager"),
    "worker": ("webapp.app", "webapp.logs", "tasks.queue", "huey.bin.huey_consumer", "pandas"),
}


def main(kind: str) -> None:
    """Load what one line of the Procfile needs, then fork at command until the test run is over."""
    if kind == "web":  # as wsgi.py does before anything else
        warnings.filterwarnings("ignore", message=r"\s*Eventlet is deprecated")
        import eventlet  # noqa: PLC0415

        eventlet.monkey_patch()
        os.environ["PSYCOPG_WAIT_FUNC"] = "wait_select"
    for name in LOADED[kind]:
        importlib.import_module(name)
    signal.signal(signal.SIGCHLD, _tell_ends)
    for line in sys.stdin:
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGCHLD])  # started is told before ended
        pid = os.fork()
        if not pid:
            _become(json.loads(line))
        _tell(f"started {pid}")
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGCHLD])


def _tell_ends(_signal: int, _frame: FrameType | None) -> None:
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if not pid:
            return
        _tell(f"ended {pid} {status}")


def _tell(line: str) -> None:
    os.write(1, f"{line}\n".encode())


def _become(order: dict[str, Any]) -> None:
    """Be the ordered process, from its first line to its exit code."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGCHLD])
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    os.setsid()
    log = os.open(order["log"], os.O_WRONLY | os.O_APPEND)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(log, 1)
    os.dup2(log, 2)
    sys.stdout = open(1, "w", buffering=1, closefd=False)  # noqa: SIM115 - as long as the process
    sys.stderr = open(2, "w", buffering=1, closefd=False)  # noqa: SIM115
    os.environ.clear()
    os.environ.update(order["environment"])
    time.tzset()
    code = 1
    try:
        code = _run(order["argv"])
    except SystemExit as leaving:
        code = _exit_code(leaving.code)
    except BaseException:  # noqa: BLE001 - as the interpreter would
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        os._exit(code)


def _run(argv: list[str]) -> int:
    if argv[0] == "python":
        sys.argv = argv[1:]
        runpy.run_path(argv[1], run_name="__main__")
    else:
        from huey.bin.huey_consumer import consumer_main  # noqa: PLC0415

        sys.argv = argv
        consumer_main()
    return 0


def _exit_code(code: object) -> int:
    if isinstance(code, int) or code is None:
        return code or 0
    print(code, file=sys.stderr)  # noqa: T201 - sys.exit("...") does
    return 1


if __name__ == "__main__":
    main(sys.argv[1])
