"""Counters and timings in Prometheus form.

With several web processes each writes to files under PROMETHEUS_MULTIPROC_DIR (set by `lantern serve`) and whichever
process is asked adds them up; alone, the numbers are in memory.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from ml_backend.web.run_environment import MULTIPROCESS_DIRECTORY

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1.0, 3.0, 10.0, 30.0, 100.0)
"""Bucket limits: the budgets of /setup, /webhook, /predict (0.05, 0.1, 0.2); Label Studio's time-outs (1, 3, 100)."""


class Metrics:
    """The numbers of one app."""

    def __init__(self) -> None:
        self._own = CollectorRegistry()
        self.requests = Counter(
            "lantern_http_requests", "Requests answered", ("route", "method", "status"), registry=self._own
        )
        self.seconds = Histogram(
            "lantern_http_request_seconds", "Time to answer", ("route",), buckets=SECONDS, registry=self._own
        )
        self.refused = Counter(
            "lantern_http_refused", "Requests refused for want of valid credentials", ("route",), registry=self._own
        )
        self.failures = Counter("lantern_http_failures", "Unexpected errors (500)", ("route",), registry=self._own)
        self.refused.labels(route="/webhook")

    def text(self, events: Mapping[str, int]) -> bytes:
        """All numbers, in Prometheus' text form: those of every web process, and the database's counters of events."""
        counted = CollectorRegistry()
        counted.register(_Events(events))
        return bytes(generate_latest(self._everyone()) + generate_latest(counted))

    def _everyone(self) -> CollectorRegistry:
        if MULTIPROCESS_DIRECTORY not in os.environ:
            return self._own
        everyone = CollectorRegistry()
        MultiProcessCollector(everyone)
        return everyone


class _Events(Collector):
    """Counters that the web processes and the worker keep in the database."""

    def __init__(self, counters: Mapping[str, int]) -> None:
        self._counters = counters

    def collect(self) -> Iterator[Metric]:
        """One family, one number an event."""
        family = CounterMetricFamily("lantern_events", "What happened, counted in the database", labels=("event",))
        for name, value in sorted(self._counters.items()):
            family.add_metric([name], value)
        yield family
