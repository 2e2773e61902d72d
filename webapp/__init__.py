"""Stockroom: the back office of a shop or warehouse."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flask import Flask

    from config import Settings


def create_app(config: "Settings | Mapping[str, str] | None" = None) -> "Flask":
    """Return the application: settings from the environment, or those given (or variables over none)."""
    # Here and not above: importing any module of this package, such as the reader of files in a
    # child process, must not import the whole application.
    from webapp.app import build_app  # noqa: PLC0415

    return build_app(config)
