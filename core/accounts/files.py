"""The activity log as CSV, for spreadsheets."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import replace

from core.accounts.queries import ActivityFilter, ActivityView, list_activity

CHUNK = 1000
EXPORT_LIMIT = 200_000  # newest first
HEADER = ("at", "actor", "verb", "subject", "subject_id", "fanpage_id", "detail")


def activity_csv(asked: ActivityFilter, *, limit: int = EXPORT_LIMIT) -> bytes:
    """UTF-8 with a byte order mark, so that spreadsheets read the marks; times are UTC."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(HEADER)
    writer.writerows(_line(entry) for entry in _entries(asked, limit))
    return out.getvalue().encode("utf-8-sig")


def _entries(asked: ActivityFilter, limit: int) -> Iterator[ActivityView]:
    """Chunk by chunk from the newest; going on before an id misses and repeats nothing when lines come in."""
    left, before = limit, asked.before_id
    while left > 0:
        chunk = list_activity(replace(asked, before_id=before), limit=min(CHUNK, left))
        yield from chunk
        if len(chunk) < CHUNK:
            return
        left, before = left - len(chunk), chunk[-1].id


def _line(entry: ActivityView) -> tuple[object, ...]:
    detail = json.dumps(entry.detail, ensure_ascii=False) if entry.detail else ""
    texts = (_plain(entry.actor), entry.verb, _plain(entry.subject))
    return (entry.at.isoformat(timespec="seconds"), *texts, entry.subject_id, entry.fanpage_id, detail)


def _plain(text: str) -> str:
    """A spreadsheet would run a cell that begins like this as a formula."""
    return f"'{text}" if text[:1] in tuple("=+-@\t\r") else text
