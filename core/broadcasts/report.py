"""A broadcast's result as CSV: a row per delivery, times in UTC, no tokens."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from itertools import islice

from core.broadcasts.queries import DeliveryView, export_deliveries
from core.consent.files import lines_of
from core.sending.tries import TryView, tries_of

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
    "first_tried_at",  # this and what came back: only where the first try was not simply accepted
    "answers",
)
CHUNK = 500


def csv_lines(broadcast_id: int) -> Iterator[str]:
    """Line by line, so that a million deliveries need little memory."""
    return lines_of(HEADER, _rows(broadcast_id))


def _rows(broadcast_id: int) -> Iterator[tuple[object, ...]]:
    deliveries = export_deliveries(broadcast_id)
    while chunk := list(islice(deliveries, CHUNK)):
        tries = tries_of([d.id for d in chunk])
        yield from (_row(d, tries.get(d.id, [])) for d in chunk)


def _row(delivery: DeliveryView, tries: list[TryView]) -> tuple[object, ...]:
    return (
        delivery.id,
        delivery.psid,
        delivery.customer,
        delivery.state,
        delivery.reason or "",
        delivery.evidence or "",
        delivery.promise,
        delivery.mid or "",
        _iso(delivery.settled_at),
        _iso(delivery.delivered_at),
        _iso(delivery.read_at),
        _iso(tries[0].started_at if tries else None),
        "; ".join(map(_answer, tries)),
    )


def _answer(tried: TryView) -> str:
    """Such as "server_error 502" or "blocked 400 551/1545041"."""
    codes = "/".join(str(code) for code in (tried.code, tried.subcode) if code is not None)
    return " ".join(part for part in (tried.reason, str(tried.status or ""), codes) if part)


def _iso(at: datetime | None) -> str:
    return at.isoformat() if at else ""
