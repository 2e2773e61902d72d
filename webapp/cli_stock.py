"""The commands that look after the stock."""

import sys

import click
from flask.cli import AppGroup

from webapp.cli_support import get_operator, plainly
from webapp.services import accounts, stock_repair

stock_group = AppGroup("stock", help="The stock.")


@stock_group.command("verify")
@click.option("--fix", is_flag=True, help="Set each quantity that differs to the sum of its movements.")
@plainly
def verify_stock(*, fix: bool) -> None:
    """Recompute every quantity from its movements and report the differences, one product a line.

    Ends with code 0 when nothing differs any more, and with 1 when something still does.
    """
    if fix:
        _repair()
    else:
        _report()


def _report() -> None:
    wrong = stock_repair.find_differences()
    for item in wrong:
        click.echo(f"{item.serial_number}: stored {item.quantity}, movements say {item.total}")
    click.echo(f"{_count(len(wrong))} from {'its' if len(wrong) == 1 else 'their'} movements.", err=True)
    sys.exit(1 if wrong else 0)


def _repair() -> None:
    actor = get_operator() if accounts.has_users() else None
    count = 0
    for item in stock_repair.repair_stock(actor.id if actor else None):
        click.echo(f"{item.serial_number}: was {item.quantity}, set to {item.total}")
        count += 1
    left = stock_repair.find_differences()
    click.echo(f"{count} repaired. {_count(len(left))} now.", err=True)
    sys.exit(1 if left else 0)


def _count(number: int) -> str:
    return "1 product differs" if number == 1 else f"{number} products differ"
