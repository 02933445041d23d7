"""Gauges in Prometheus' text format."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from prometheus_client import CollectorRegistry, Gauge, PlatformCollector, ProcessCollector, start_http_server

_registry = CollectorRegistry()
ProcessCollector(registry=_registry)
PlatformCollector(registry=_registry)
_events_waiting = Gauge(
    "bottomline_events_waiting_seconds",
    "How long the oldest event has waited for the broker; 0 where none waits, NaN where the database cannot be asked",
    registry=_registry,
)
_events_waiting.set(math.nan)


class PrometheusGauges:
    """The gauges of this process."""

    def events_waiting(self, oldest: timedelta | None) -> None:
        """How long the oldest event has waited; NaN where nobody knows."""
        _events_waiting.set(math.nan if oldest is None else oldest.total_seconds())


@contextmanager
def served(host: str, port: int) -> Iterator[None]:
    """Answer `GET /metrics` for as long as the block runs. Raises OSError where the port is not to be had."""
    server, thread = start_http_server(port, host, _registry)
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
