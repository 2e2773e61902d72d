"""What importing costs, and that every module can be imported on its own."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from config import ROOT
from tests.support.houses import base_environment

HEAVY = (
    "pandas",
    "numpy",
    "weasyprint",
    "fontTools",
    "xlsxwriter",
    "openpyxl",
    "lxml",
    "python_calamine",
    "PIL",
)
MODULES = sorted(
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
    for folder in ("webapp", "tasks")
    for path in (ROOT / folder).rglob("*.py")
)


def run_python(code: str, tmp_path: Path) -> str:
    """Run some lines in a fresh interpreter and return what they print."""
    environment = {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT), **base_environment(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_web_process_loads_none_of_the_heavy_libraries(tmp_path: Path) -> None:
    code = (
        "import json, sys; from webapp import create_app; import webapp.routes.live; create_app();"
        "print(json.dumps(sorted({name.partition('.')[0] for name in sys.modules})))"
    )
    loaded = set(json.loads(run_python(code, tmp_path)))
    assert {"flask", "sqlalchemy", "huey"} <= loaded
    assert loaded.isdisjoint(HEAVY)


@pytest.mark.slow
def test_every_module_can_be_imported_first(tmp_path: Path) -> None:
    # One interpreter that forks for each module: as fresh as a new one, and far quicker, because it
    # has everything loaded that is not ours.
    code = f"""
import importlib, json, os, sys, traceback

def is_ours(name):
    return name.partition(".")[0] in ("webapp", "tasks", "config")

def in_child(work):
    child = os.fork()
    if not child:
        try:
            work()
        except BaseException:
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    return os.waitpid(child, 0)[1] == 0

def list_others():
    import webapp.app, webapp.routes.live, tasks.worker
    with open(os.environ["DATA_DIR"] + "/others", "w") as file:
        json.dump([name for name in sys.modules if not is_ours(name)], file)

assert in_child(list_others)
for name in json.load(open(os.environ["DATA_DIR"] + "/others")):
    try:
        importlib.import_module(name)
    except ImportError:
        pass
assert not any(is_ours(name) for name in sys.modules)
print([name for name in {MODULES!r} if not in_child(lambda: importlib.import_module(name))])
"""
    assert run_python(code, tmp_path).strip() == "[]"


def test_a_process_that_reads_files_does_not_load_the_application(tmp_path: Path) -> None:
    code = "import sys, webapp.pipeline.read; print('flask' in sys.modules, 'sqlalchemy' in sys.modules)"
    assert run_python(code, tmp_path).split() == ["False", "False"]
