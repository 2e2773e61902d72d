"""Keys that are given out once: of sessions, one-time links and API tokens. Only their hash is kept."""

import hashlib
import secrets

KEY_BYTES = 32


def make_key(prefix: str = "") -> str:
    """Return a new key that nobody can guess."""
    return prefix + secrets.token_urlsafe(KEY_BYTES)


def hash_key(key: str) -> str:
    """Return what is stored of a key. It is random and long, so a plain SHA-256 is enough.

    A key is found by its hash: how long the database compares tells nothing of the key itself.
    """
    return hashlib.sha256(key.encode()).hexdigest()
