"""How often a token may ask. The headers are those of the IETF's draft: ``RateLimit`` and ``RateLimit-Policy``."""

import logging
import time
from math import ceil
from typing import Any

from flask import Response, request
from flask_limiter.util import get_remote_address
from limits import parse
from redis import RedisError
from werkzeug.exceptions import TooManyRequests

from webapp.extensions import limiter, settings
from webapp.security import is_api_request
from webapp.services.secret_keys import hash_key

log = logging.getLogger(__name__)

POLICY = "token"


def limit_blueprint(blueprint: Any) -> None:
    """Count the requests to a blueprint; those to all blueprints count together."""
    limiter.shared_limit(
        lambda: f"{settings().api_requests_per_minute} per minute", scope=POLICY, key_func=_token_key
    )(blueprint)


def _token_key() -> str:
    """The token's hash, because counters may be kept in Redis; who brings none is counted by their address."""
    key = request.headers.get("Authorization", "").partition(" ")[2].strip()
    return hash_key(key) if key else get_remote_address()


def count_unmatched() -> None:
    """Count a request below ``/api`` that no blueprint answers, with all others: else keys could be tried freely."""
    if request.endpoint is not None:
        return
    item, key = parse(f"{settings().api_requests_per_minute} per minute"), _token_key()
    try:
        if limiter.limiter.hit(item, key, POLICY):
            return
        left = limiter.limiter.get_window_stats(item, key, POLICY).reset_time - time.time()
    except RedisError:  # the same as where a blueprint answers
        log.debug("A request cannot be counted.", exc_info=True)
        return
    raise TooManyRequests(retry_after=max(1, ceil(left)))


def add_headers(response: Response) -> Response:
    """Say how much is left, and after 429 how long to wait."""
    try:
        for found in limiter.current_limits:
            left = max(1, ceil(found.window[0] - time.time()))
            if found.breached:
                response.headers["Retry-After"] = str(left)
            if is_api_request():
                quota, window = found.limit.amount, found.limit.get_expiry()
                response.headers["RateLimit-Policy"] = f'"{POLICY}";q={quota};w={window}'
                response.headers["RateLimit"] = f'"{POLICY}";r={found.remaining};t={left}'
    except RedisError:  # no answer fails because its counter cannot be read
        log.debug("The counters of requests cannot be read.", exc_info=True)
    return response
