"""What may be shown of a job's parameters."""

import re
from collections.abc import Mapping
from typing import Any

HIDDEN = "••••••"
_SECRET = re.compile(r"passw|token|secret|(^|_)key$|api_?key|credential|authori[sz]ation", re.IGNORECASE)


def hide_secrets(value: Any) -> Any:
    """Return the value with everything hidden whose name says that it is a secret, at any depth."""
    if isinstance(value, Mapping):
        return {
            name: HIDDEN if _is_secret(str(name)) and item not in ("", None) else hide_secrets(item)
            for name, item in value.items()
        }
    if isinstance(value, list | tuple):
        return [hide_secrets(item) for item in value]
    return value


def _is_secret(name: str) -> bool:
    return _SECRET.search(name) is not None
