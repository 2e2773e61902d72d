"""What a user would copy: the scripts of ``docs/api``, run against a real server and a real worker."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from flask import Flask

from config import ROOT
from tests.support.api import make_token
from tests.support.services import unavailable
from tests.support.stack import Stack
from webapp.extensions import db
from webapp.models import Product, Supplier

pytestmark = [pytest.mark.slow, pytest.mark.integration, pytest.mark.forked]

SCRIPTS = ROOT / "docs" / "api"
NORTHWIND = ROOT.parent / "shared" / "data" / "northwind"
needs_northwind = pytest.mark.skipif(not NORTHWIND.exists(), reason="../shared/data is not here")
WAYS = {"export": [["sh", "export.sh"], [sys.executable, "stockroom.py", "export"]]}
WAYS["import"] = [["sh", "import.sh"], [sys.executable, "stockroom.py", "import"]]
by_both = pytest.mark.parametrize("way", [0, 1], ids=["curl", "python"])


class Scripts:
    """One user's shell in the folder of the scripts."""

    def __init__(self, app: Flask, stack: Stack, way: int) -> None:
        self.way = way
        self.variables = {"STOCKROOM_URL": stack.url, "STOCKROOM_TOKEN": make_token(app, "editor")}

    def run(self, verb: str, *words: str | Path) -> "subprocess.CompletedProcess[str]":
        """Run one script with these words."""
        return subprocess.run(
            [*WAYS[verb][self.way], *map(str, words)],
            cwd=SCRIPTS,
            env=os.environ | self.variables,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    def succeed(self, verb: str, *words: str | Path) -> str:
        """Run one script that must end well, and return what it printed."""
        done = self.run(verb, *words)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


def start(app: Flask, stack: Stack, way: int) -> Scripts:
    """Start web and worker, and return a user's shell."""
    if way == 0 and not shutil.which("curl"):
        unavailable("No curl is installed (apt-get install curl)")
    stack.start_web()
    stack.start_worker()
    return Scripts(app, stack, way)


@by_both
def test_a_file_goes_in_and_comes_out(app: Flask, stack: Stack, way: int, tmp_path: Path) -> None:
    scripts = start(app, stack, way)
    source, target = tmp_path / "list.csv", tmp_path / "suppliers.csv"
    source.write_text("Company,Mail\nNord,nord@shop.example\nSüd,unknown\n")
    printed = scripts.succeed("import", "suppliers", source, json.dumps({"name": "Company", "email": "Mail"}))
    assert "Süd,unknown,Mail: “unknown” is not an e-mail address." in printed
    scripts.succeed("export", "suppliers", "csv", target)
    assert target.read_text().splitlines() == ["name,email,phone,description", "Nord,nord@shop.example,,"]


@by_both
def test_what_goes_wrong_is_said(app: Flask, stack: Stack, way: int, tmp_path: Path) -> None:
    scripts = start(app, stack, way)
    refused = scripts.run("export", "cats", "csv", tmp_path / "cats.csv")
    assert refused.returncode != 0
    assert "There is no resource “cats”" in refused.stdout + refused.stderr
    assert not (tmp_path / "cats.csv").exists()
    scripts.variables["STOCKROOM_TOKEN"] = "sr_made_up"
    assert "unknown, expired or revoked" in str(scripts.run("export", "brands", "csv", tmp_path / "x"))


@needs_northwind
@pytest.mark.parametrize(
    ("database", "way"),
    [("sqlite", 0), pytest.param("postgresql", 1, marks=pytest.mark.integration)],
    ids=["sqlite-curl", "postgresql-python"],
    indirect=["database"],
)
def test_the_northwind_shop_comes_in_and_goes_out(app: Flask, stack: Stack, way: int, tmp_path: Path) -> None:
    scripts = start(app, stack, way)
    scripts.succeed("import", "categories", NORTHWIND / "categories.csv")
    scripts.succeed("import", "suppliers", NORTHWIND / "suppliers.csv")
    scripts.succeed("import", "products", NORTHWIND / "products.csv", json.dumps(products_mapping()))
    with app.app_context():
        assert (db.session.query(Supplier).count(), db.session.query(Product).count()) == (29, 77)
    for resource, rows in (("categories", 8), ("suppliers", 29), ("products", 77)):
        for file_format in ("csv", "json", "xlsx", "xml"):
            scripts.succeed("export", resource, file_format, tmp_path / f"{resource}.{file_format}")
        assert len(json.loads((tmp_path / f"{resource}.json").read_text())) == rows
        printed = scripts.succeed("import", resource, tmp_path / f"{resource}.csv")
        unchanged = f"{rows} unchanged" if way else f'"unchanged":{rows}'
        assert unchanged in printed.replace(": ", ":"), printed


def products_mapping() -> dict[str, object]:
    """Return what the columns of the sample mean; its categories are numbers there."""
    lines = (NORTHWIND / "categories.csv").read_text().splitlines()[1:]
    names = dict(line.split(",")[:2] for line in lines)
    return {
        "serial_number": "ProductID",
        "title": "ProductName",
        "category": {"column": "CategoryID", "values": names},
        "cost_price": "UnitPrice",
        "sell_price": "UnitPrice",
        "quantity": "UnitsInStock",
        "reorder_level": "ReorderLevel",
    }
