"""The metrics for Prometheus: counts and durations, never anything about a person."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from sqlalchemy.exc import SQLAlchemyError

from core.clock import utc_now
from core.operations.metrics_figures import Figures, FiguresReader

log = structlog.get_logger(__name__)

OUTCOMES = ("stored", "too_large", "too_slow", "bad_signature", "foreign", "malformed", "unavailable")
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)


class Metrics:
    """The metrics of one server. Each has its own registry, so that several servers in one process (tests)
    are counted apart."""

    def __init__(self, waiting: Callable[[], float], backlog: Callable[[], float]) -> None:
        self.registry = CollectorRegistry()
        requests = Counter(
            "otn_webhook_requests", "POSTs answered, by outcome.", ["outcome"], registry=self.registry
        )
        self.outcomes = {outcome: requests.labels(outcome) for outcome in OUTCOMES}
        events = Counter(
            "otn_webhook_events", "Events committed: new or known.", ["result"], registry=self.registry
        )
        self.new, self.duplicate = events.labels("stored"), events.labels("duplicate")
        self.applied = Counter(
            "otn_webhook_events_applied", "Events taken off the backlog.", registry=self.registry
        )
        self.seconds = Histogram(
            "otn_webhook_seconds",
            "From the whole body to the answer, the commit included.",
            buckets=_SECONDS,
            registry=self.registry,
        )
        Gauge(
            "otn_webhook_events_waiting", "Events waiting for their commit.", registry=self.registry
        ).set_function(waiting)
        Gauge(
            "otn_webhook_backlog_events", "Events stored, not yet applied.", registry=self.registry
        ).set_function(backlog)
        self.registry.register(InstallationFigures())

    def committed(self, events: int, new: int) -> None:
        """Count events that were committed, of which so many were new."""
        self.new.inc(new)
        self.duplicate.inc(events - new)

    def page(self) -> bytes:
        """The body of GET /metrics."""
        return generate_latest(self.registry)


class InstallationFigures(Collector):
    """The figures of the whole installation, the same on each of its webhook servers. While the database
    does not answer they are missing."""

    def __init__(self) -> None:
        self._reader = FiguresReader()

    def describe(self) -> Iterator[GaugeMetricFamily]:
        """Nothing: else registering would read the database."""
        return iter(())

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """The figures as metrics."""
        try:
            figures = self._reader.read(now=utc_now())
        except SQLAlchemyError as problem:
            log.warning("figures_not_read", error=type(problem).__name__)
            return
        yield from _families(figures)


def _families(figures: Figures) -> Iterator[GaugeMetricFamily]:
    labelled = (
        ("otn_deliveries", "Deliveries, by state.", "state", figures.deliveries),
        ("otn_broadcasts", "Broadcasts, by state.", "state", figures.broadcasts),
        ("otn_fanpages", "Fanpages, by condition.", "condition", figures.fanpages),
        ("otn_queue_age_seconds", "Age of the oldest that waits.", "queue", figures.queue_ages),
        ("otn_heartbeat_age_seconds", "Age of the latest heartbeat.", "kind", figures.heartbeat_ages),
    )
    for name, about, label, values in labelled:
        family = GaugeMetricFamily(name, about, labels=[label])
        for value in values:
            family.add_metric([value], float(values[value]))
        yield family
    yield GaugeMetricFamily("otn_events_failed", "Events that could not be applied.", figures.failed_events)
    yield GaugeMetricFamily("otn_alerts_untold", "Alerts that were not taken yet.", figures.untold_alerts)
    if figures.backup_age is not None:
        yield GaugeMetricFamily("otn_backup_age_seconds", "Age of the last backup.", figures.backup_age)
