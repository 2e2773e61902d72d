"""The header Idempotency-Key, as requests bring it and as the specification tells of it."""

from typing import Any

from flask import request

from webapp.services.idempotency import FIELD, LONGEST_KEY

IDEMPOTENT: dict[str, Any] = {
    "parameters": [
        {
            "in": "header",
            "name": FIELD,
            "required": False,
            "schema": {"type": "string", "maxLength": LONGEST_KEY},
            "description": "Your own name for this request: sent again with it, it returns the same job.",
        }
    ]
}


def read_key() -> str:
    """Return the key that the request came with; empty when it came without one."""
    return request.headers.get(FIELD, "").strip()
