"""Exports the activity log: as CSV for machines (times in UTC) or as a workbook for people."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace

from core.accounts.queries import ActivityFilter, ActivityView, list_activity
from core.errors import N_
from core.spreadsheets.column import Column, Value
from core.spreadsheets.csv_writer import csv_file
from core.spreadsheets.workbook_writer import Say, workbook_file

CHUNK = 1000
EXPORT_LIMIT = 200_000  # newest first
COLUMNS = (
    Column("at", N_("When"), 20),
    Column("actor", N_("Who")),
    Column("verb", N_("Action"), 24),
    Column("subject", N_("About"), 32),
    Column("subject_id", N_("Number"), 10),
    Column("fanpage_id", N_("Fanpage number"), 14),
    Column("address", N_("From"), 18),
    Column("session_id", N_("Session"), 10),
    Column("detail", N_("Details"), 60),
)


def activity_csv(asked: ActivityFilter, *, limit: int = EXPORT_LIMIT) -> bytes:
    """The entries of a filter as CSV, newest first."""
    return b"".join(csv_file(COLUMNS, map(_line, _entries(asked, limit))))


def activity_workbook(asked: ActivityFilter, *, zone: str, say: Say, limit: int = EXPORT_LIMIT) -> bytes:
    """The entries of a filter as a workbook, with times in this zone and words translated by `say`."""
    return workbook_file(N_("Activity"), COLUMNS, map(_line, _entries(asked, limit)), zone=zone, say=say)


def _entries(asked: ActivityFilter, limit: int) -> Iterator[ActivityView]:
    """Entries from the newest on, read in chunks. Each chunk goes on below the last id, so that entries which
    come in meanwhile shift nothing."""
    left, before = limit, asked.before_id
    while left > 0:
        chunk = list_activity(replace(asked, before_id=before), limit=min(CHUNK, left))
        yield from chunk
        if len(chunk) < CHUNK:
            return
        left, before = left - len(chunk), chunk[-1].id


def _line(entry: ActivityView) -> tuple[Value, ...]:
    detail = json.dumps(entry.detail, ensure_ascii=False) if entry.detail else ""
    return (
        entry.at,
        entry.actor,
        entry.verb,
        entry.subject,
        entry.subject_id,
        entry.fanpage_id,
        entry.address,
        entry.session_id,
        detail,
    )
