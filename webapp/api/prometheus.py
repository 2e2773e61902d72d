"""``GET /metrics``: figures for Prometheus, behind an allowed network or the token of an administrator.

What is in the database is read when it is asked for, so every process says the same about it; requests and
sockets are those of the process that answers, and their descriptions say so.
"""

import time
from collections.abc import Iterator
from ipaddress import ip_address
from typing import Any

from flask import Blueprint, Flask, Response, current_app, g, request, request_started
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.exceptions import Unauthorized

from webapp.api import auth
from webapp.api.limits import limit_blueprint
from webapp.api.problems import render_problem
from webapp.errors import Forbidden
from webapp.extensions import db, settings, socketio
from webapp.services import workers
from webapp.services.accounts import require_role
from webapp.services.monitor_states import get_now
from webapp.services.operation_figures import count_kept_jobs, measure_speeds
from webapp.services.queue_figures import measure_queue

REGISTRY = "stockroom_prometheus"
FORWARDED = frozenset({"Forwarded", "X-Forwarded-For", "X-Real-Ip"})

blueprint = Blueprint("prometheus", __name__)
limit_blueprint(blueprint)


def init_app(app: Flask) -> None:
    """Measure every request of an application."""
    registry = app.extensions[REGISTRY] = CollectorRegistry()
    registry.register(HouseCollector())
    seconds = Histogram(
        "stockroom_http_request_seconds",
        "Requests to this web process and how long their answers took.",
        ("method", "route", "status"),
        registry=registry,
    )
    request_started.connect(_note_begin, app)

    @app.after_request
    def measure(response: Response) -> Response:
        # An address as it was declared, not as it was typed: strangers must not make series.
        route = request.url_rule.rule if request.url_rule else "none"
        method = request.method if request.url_rule else "any"
        seconds.labels(method, route, response.status_code).observe(time.perf_counter() - g.begun)
        return response


def _note_begin(_app: Flask, **_extra: object) -> None:
    g.begun = time.perf_counter()


@blueprint.get("/metrics")
def show() -> Response:
    """Give Prometheus the figures, or say how to be let in."""
    if not is_from_allowed_network():
        try:
            auth.authenticate_request()
            require_role(auth.current_actor(), "admin")  # as for the monitor's pages, which tell the same
        except (Unauthorized, Forbidden) as error:
            return render_problem(error)
    return Response(generate_latest(current_app.extensions[REGISTRY]), content_type=CONTENT_TYPE_LATEST)


def is_from_allowed_network() -> bool:
    """Whether the request comes straight, or through the trusted proxies, from METRICS_ALLOWED_NETWORKS."""
    if not settings().trusted_proxies and any(name in request.headers for name in FORWARDED):
        return False  # a proxy that nobody told us of: its own address says nothing about who asks
    try:
        address: Any = ip_address(request.remote_addr or "")
    except ValueError:
        return False
    address = getattr(address, "ipv4_mapped", None) or address
    return any(address in network for network in settings().metrics_allowed_networks)


class HouseCollector(Collector):
    """Reads the database, each time that it is asked."""

    def collect(self) -> Iterator[Metric]:
        """Return the families of figures; those of a database that is away are missing."""
        try:
            found = list(_collect_house())
        except SQLAlchemyError:
            db.session.rollback()
            found = []
        yield GaugeMetricFamily(
            "stockroom_database_up", "Whether the database answered this scrape.", value=float(bool(found))
        )
        yield from found
        server = socketio.server  # type: ignore[attr-defined]
        sockets = len(list(server.manager.get_participants("/", None))) if server else 0
        yield GaugeMetricFamily(
            "stockroom_socket_connections", "Open sockets of this web process.", value=sockets
        )


def _collect_house() -> Iterator[Metric]:
    now = get_now()
    jobs = GaugeMetricFamily("stockroom_jobs", "Jobs that are kept.", labels=("status", "task_type"))
    for status, task_type, number in count_kept_jobs():
        jobs.add_metric((status, task_type), number)
    yield jobs
    runs = GaugeMetricFamily(
        "stockroom_job_run_seconds",
        "How long the jobs of the last hour ran.",
        labels=("task_type", "quantile"),
    )
    rates = GaugeMetricFamily(
        "stockroom_job_rows_per_second",
        "Rows per second of the jobs of the last hour.",
        labels=("task_type",),
    )
    for task_type, speed in measure_speeds(now).items():
        for quantile, value in (("0.5", speed.run.p50), ("0.95", speed.run.p95)):
            if value is not None:
                runs.add_metric((task_type, quantile), value)
        if speed.rows_per_second is not None:
            rates.add_metric((task_type,), speed.rows_per_second)
    yield runs
    yield rates
    queue = measure_queue(now)
    yield GaugeMetricFamily("stockroom_queue_depth", "Jobs that are due and wait.", value=queue.depth)
    yield GaugeMetricFamily(
        "stockroom_queue_oldest_seconds",
        "How long the oldest due job has waited.",
        value=queue.oldest_waiting_seconds or 0,
    )
    yield GaugeMetricFamily(
        "stockroom_consumers", "Worker processes heard of lately.", value=workers.count_alive(now)
    )
