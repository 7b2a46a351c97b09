"""A broadcast's result as a file, a row per delivery, no tokens: CSV for machines (times in UTC), a workbook
for people (times in the fanpage's zone)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice

from core.broadcasts.delivery_queries import DeliveryView, export_deliveries
from core.deliveries.attempts import AttemptView, attempts_of
from core.errors import N_
from core.spreadsheets.column import Column, Value
from core.spreadsheets.csv_writer import csv_file
from core.spreadsheets.workbook_writer import Say, workbook_file

COLUMNS = (
    Column("delivery", N_("Delivery"), 12),
    Column("psid", N_("PSID"), 22),
    Column("customer", N_("Customer"), 24),
    Column("state", N_("Result"), 14),
    Column("reason", N_("Why"), 24),
    Column("evidence", N_("Evidence"), 24),
    Column("promise", N_("Promise"), 32),
    Column("message_id", N_("Message id"), 24),
    Column("settled_at", N_("Settled at"), 20),
    Column("delivered_at", N_("Delivered at"), 20),
    Column("read_at", N_("Read at"), 20),
    Column("clicked_at", N_("Clicked at"), 20),
    Column("replied_at", N_("Replied at"), 20),
    # This and what came back: only where the first attempt was not simply accepted.
    Column("first_tried_at", N_("First tried at"), 20),
    Column("answers", N_("Answers"), 32),
)
CHUNK = 500


def csv_report(broadcast_id: int) -> Iterator[bytes]:
    """The report as CSV, row by row, so that a million deliveries need little memory."""
    return csv_file(COLUMNS, _rows(broadcast_id))


def workbook_report(
    broadcast_id: int, *, zone: str, say: Say = str, words: Mapping[str, Say] | None = None
) -> bytes:
    rows = _rows(broadcast_id)
    return workbook_file(N_("Deliveries"), COLUMNS, rows, zone=zone, say=say, words=words)


def _rows(broadcast_id: int) -> Iterator[tuple[Value, ...]]:
    deliveries = export_deliveries(broadcast_id)
    while chunk := list(islice(deliveries, CHUNK)):
        attempts = attempts_of([d.id for d in chunk])
        yield from (_row(d, attempts.get(d.id, [])) for d in chunk)


def _row(delivery: DeliveryView, attempts: list[AttemptView]) -> tuple[Value, ...]:
    return (
        delivery.id,
        delivery.psid,
        delivery.customer,
        delivery.state,
        delivery.reason or "",
        delivery.evidence or "",
        delivery.promise,
        delivery.mid or "",
        delivery.settled_at,
        delivery.delivered_at,
        delivery.read_at,
        delivery.clicked_at,
        delivery.replied_at,
        attempts[0].started_at if attempts else None,
        "; ".join(map(_answer, attempts)),
    )


def _answer(attempt: AttemptView) -> str:
    """Such as "server_error 502" or "blocked 400 551/1545041"."""
    codes = "/".join(str(code) for code in (attempt.code, attempt.subcode) if code is not None)
    return " ".join(part for part in (attempt.reason, str(attempt.status or ""), codes) if part)
