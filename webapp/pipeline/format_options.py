"""What a file format declares: its names, its options with their choices, and its writer."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from webapp.pipeline.write_base import Writer
from webapp.resources.base import N_
from webapp.resources.types import Problem

YES = frozenset({"1", "on", "yes", "true", "y"})
NO = frozenset({"", "0", "off", "no", "false", "n"})


@dataclass(frozen=True)
class Option:
    """A choice that a format offers. Without ``choices`` it is a switch, True or False.

    ``choices`` are pairs of the value and its label; labels are translatable.
    """

    name: str
    label: str
    default: str | bool
    choices: tuple[tuple[str, str], ...] = ()

    @property
    def is_switch(self) -> bool:
        """Whether the values are True and False."""
        return not self.choices

    def clean(self, value: Any) -> str | bool:
        """Return the value as the writer wants it; Problem when it is not one of the choices."""
        text = str(value).strip().lower()
        if self.is_switch and text in YES | NO:
            return text in YES
        if any(text == choice for choice, _ in self.choices):
            return text
        raise Problem(
            N_("“%(value)s” is not a choice for the option %(option)s."),
            N_("Use one of: %(choices)s."),
            value=value,
            option=self.name,
            choices=", ".join(choice for choice, _ in self.choices) or "yes, no",
        )


@dataclass(frozen=True)
class Format:
    """One file format.

    ``is_importable`` says that an import reads the file back without loss, ``max_rows`` how many it
    can hold. Batches of ``batch_rows`` take well under a second each, so that progress is smooth and
    a cancel is prompt; ``cache_kib`` is what SQLite keeps of its file in memory meanwhile. ``presets`` are named sets of option values, chosen through the option
    ``preset``.
    """

    name: str
    label: str
    extension: str
    mimetype: str
    writer: Writer
    binary: bool = False
    is_importable: bool = False
    max_rows: int | None = None
    batch_rows: int = 2000
    cache_kib: int = 32_000
    options: tuple[Option, ...] = ()
    presets: Mapping[str, Mapping[str, str | bool]] = field(default_factory=dict)

    def clean_options(self, raw: Mapping[str, Any]) -> dict[str, Any]:
        """Return a value for every option: the preset's, the given one, or the default.

        Unknown names and values raise Problem, so that a typing error is not silently ignored.
        """
        known = {option.name: option for option in self.options}
        for name in raw:
            if name not in known:
                raise Problem(N_("%(format)s has no option “%(option)s”."), format=self.label, option=name)
        values = {name: option.clean(raw.get(name, option.default)) for name, option in known.items()}
        return values | dict(self.presets.get(str(values.get("preset")), {}))

    def get_extension(self, options: Mapping[str, Any]) -> str:
        """Return the ending of the file's name, without its first dot."""
        return f"{self.extension}.gz" if options.get("gzip") else self.extension

    def get_mimetype(self, options: Mapping[str, Any]) -> str:
        """Return the media type for a download."""
        return "application/gzip" if options.get("gzip") else self.mimetype
