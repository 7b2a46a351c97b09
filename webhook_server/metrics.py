"""The metrics for Prometheus: counts and durations, never anything about a person."""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

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

    def committed(self, events: int, new: int) -> None:
        """Count events that were committed, of which so many were new."""
        self.new.inc(new)
        self.duplicate.inc(events - new)

    def page(self) -> bytes:
        """The body of GET /metrics."""
        return generate_latest(self.registry)
