"""The header Idempotency-Key, as requests bring it and as the specification tells of it."""

import hashlib
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
            "description": "Your own name for this request: sent again with it, it asks for nothing new.",
        }
    ]
}


def read_key() -> str:
    """Return the key that the request came with; empty when it came without one."""
    return request.headers.get(FIELD, "").strip()


def digest_request() -> str:
    """Return what tells one request with a JSON body from another: its address and every byte."""
    return hashlib.sha256(f"{request.method} {request.path}\n".encode() + request.get_data()).hexdigest()
