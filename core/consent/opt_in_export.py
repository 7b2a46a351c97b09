"""Opt-ins as a file, times in the fanpage's zone: CSV for machines, a workbook for people.

Tokens stay in the database: who has one may use it. Ids and times can be read again by an import.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from itertools import islice
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlmodel import col

from core.consent.opt_in_queries import CHUNK, EVERYTHING, OptInFilter, OptInView, walk_opt_ins
from core.customers.tags import tags_of
from core.db.engine import reading
from core.db.tables import Fanpage
from core.errors import N_
from core.spreadsheets.column import Column, Rows, Value
from core.spreadsheets.csv_writer import csv_file
from core.spreadsheets.workbook_writer import Say, workbook_file

COLUMNS = (
    Column("psid", N_("PSID"), 22),
    Column("customer", N_("Customer"), 24),
    Column("topic", N_("Topic"), 28),
    Column("promise", N_("Promise"), 32),
    Column("state", N_("State"), 14),
    Column("consented_at", N_("Agreed at"), 20),
    Column("expires_at", N_("Ends at"), 20),
    Column("settled_at", N_("Ended at"), 20),
    Column("source", N_("Source"), 14),
    Column("entry_point", N_("Entry point"), 24),
    Column("tags", N_("Tags"), 24),
)


def csv_opt_ins(fanpage_id: int, chosen: OptInFilter = EVERYTHING, *, now: datetime) -> Iterator[bytes]:
    zone = ZoneInfo(_zone(fanpage_id))
    return csv_file(COLUMNS, (_local(row, zone) for row in _rows(fanpage_id, chosen, now)))


def workbook_opt_ins(
    fanpage_id: int,
    chosen: OptInFilter = EVERYTHING,
    *,
    now: datetime,
    say: Say = str,
    words: Mapping[str, Say] | None = None,
) -> bytes:
    rows, zone = _rows(fanpage_id, chosen, now), _zone(fanpage_id)
    return workbook_file(N_("Opt-ins"), COLUMNS, rows, zone=zone, say=say, words=words)


def _zone(fanpage_id: int) -> str:
    with reading() as db:
        zone = db.execute(select(col(Fanpage.timezone)).where(col(Fanpage.id) == fanpage_id)).scalar_one()
    return str(zone)


def _rows(fanpage_id: int, chosen: OptInFilter, now: datetime) -> Rows:
    waiting = walk_opt_ins(fanpage_id, chosen, now=now)
    while part := list(islice(waiting, CHUNK)):
        with reading() as db:
            tags = tags_of(db, {opt_in.customer_id or 0 for opt_in in part})
        for opt_in in part:
            yield _row(opt_in, tags.get(opt_in.customer_id or 0, ()))


def _row(opt_in: OptInView, tags: Sequence[str]) -> tuple[Value, ...]:
    return (
        opt_in.psid,
        opt_in.customer,
        opt_in.topic,
        opt_in.promise,
        opt_in.state,
        opt_in.consented_at,
        opt_in.expires_at,
        opt_in.settled_at,
        opt_in.source,
        ":".join(part for part in (opt_in.entry_kind, opt_in.entry_value) if part),
        "; ".join(tags),
    )


def _local(row: tuple[Value, ...], zone: ZoneInfo) -> tuple[Value, ...]:
    return tuple(value.astimezone(zone) if isinstance(value, datetime) else value for value in row)
