"""The translations of the pages: compiled from the `.po` files that people edit."""

from __future__ import annotations

from scripts import steps

CATALOGUES = steps.ROOT / "webapp" / "translations"


def ensure_translations() -> None:
    """Compile every catalogue when one of them changed."""
    sources = sorted(CATALOGUES.glob("*/LC_MESSAGES/*.po"))
    intact = all(source.with_suffix(".mo").is_file() for source in sources)
    if not sources:
        return
    steps.once("translations", steps.digest(*sources), _compile, intact=intact)


def _compile() -> None:
    steps.run([steps.VENV / "bin" / "pybabel", "compile", "--directory", CATALOGUES], "translations")
