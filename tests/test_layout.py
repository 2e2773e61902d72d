"""What importing costs, and that every module can be imported on its own."""

import ast
import json
import subprocess
import sys
from collections.abc import Iterator
from graphlib import TopologicalSorter
from itertools import accumulate
from pathlib import Path

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
MODULES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
    for path in (ROOT / "config.py", *(ROOT / "webapp").rglob("*.py"), *(ROOT / "tasks").rglob("*.py"))
}


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


def test_every_module_can_be_imported(tmp_path: Path) -> None:
    run_python(f"import importlib; [importlib.import_module(name) for name in {sorted(MODULES)!r}]", tmp_path)


def test_no_module_must_be_imported_before_another() -> None:
    graph = {name: _list_needed(name, ast.parse(path.read_text())) for name, path in MODULES.items()}
    assert "webapp.extensions" in graph["webapp.services.jobs"]
    list(TopologicalSorter(graph).static_order())  # CycleError names those that need each other


def _list_needed(name: str, tree: ast.AST) -> set[str]:
    """Return what of ours runs when a module is imported; its own packages do before it in any case."""
    needed = {part for target in _list_imports(tree) for part in _with_packages(target)}
    return needed & MODULES.keys() - set(_with_packages(name))


def _list_imports(node: ast.AST) -> Iterator[str]:
    """Yield what is imported at once: not in functions, and not for the checker of types alone."""
    for child in ast.iter_child_nodes(node):
        match child:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.Lambda():
                pass
            case ast.If(test=ast.Name(id="TYPE_CHECKING")):
                pass
            case ast.Import(names=names):
                yield from (item.name for item in names)
            case ast.ImportFrom(module=str(module), names=names):
                members = [f"{module}.{item.name}" for item in names]
                yield from (member if member in MODULES else module for member in members)
            case _:
                yield from _list_imports(child)


def _with_packages(name: str) -> list[str]:
    return list(accumulate(name.split("."), lambda package, part: f"{package}.{part}"))


def test_a_process_that_reads_files_does_not_load_the_application(tmp_path: Path) -> None:
    code = "import sys, webapp.pipeline.read; print('flask' in sys.modules, 'sqlalchemy' in sys.modules)"
    assert run_python(code, tmp_path).split() == ["False", "False"]
