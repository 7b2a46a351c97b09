"""A broadcast's result as CSV: a row per delivery, times in UTC, no tokens."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from core.broadcasts.queries import export_deliveries
from core.consent.files import lines_of

HEADER = (
    "delivery",
    "psid",
    "customer",
    "state",
    "reason",
    "evidence",
    "promise",
    "message_id",
    "settled_at",
    "delivered_at",
    "read_at",
)


def csv_lines(broadcast_id: int) -> Iterator[str]:
    """Line by line, so that a million deliveries need little memory."""
    return lines_of(
        HEADER,
        (
            (
                d.id,
                d.psid,
                d.customer,
                d.state,
                d.reason or "",
                d.evidence or "",
                d.promise,
                d.mid or "",
                _iso(d.settled_at),
                _iso(d.delivered_at),
                _iso(d.read_at),
            )
            for d in export_deliveries(broadcast_id)
        ),
    )


def _iso(at: datetime | None) -> str:
    return at.isoformat() if at else ""
