"""How much of its allowance the platform says we have used (two response headers)."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

# https://developers.facebook.com/docs/graph-api/overview/rate-limiting
APP_HEADER = "X-App-Usage"
BUSINESS_HEADER = "X-Business-Use-Case-Usage"
_OURS = ("messenger", "pages")  # other types, such as ads, do not slow down messages
_PERCENTAGES = ("call_count", "total_time", "total_cputime")


@dataclass(frozen=True)
class Usage:
    """`percent` of the fullest allowance (throttled at 100); `seen_at` is monotonic time."""

    percent: float
    regain_seconds: float
    seen_at: float


def read_usage(headers: Mapping[str, str], seen_at: float, *, page_id: str | None = None) -> Usage | None:
    """None when the answer says nothing of it, which is usual at low volume. With `page_id`, what the answer
    to a call for several fanpages says of that one: the app's allowance is everybody's, a business's its own.
    """
    rows = list(_rows(headers, page_id))
    if not rows:
        return None
    percent = max(_number(row, key) for row in rows for key in _PERCENTAGES)
    minutes = max(_number(row, "estimated_time_to_regain_access") for row in rows)
    return Usage(percent, minutes * 60, seen_at)


def tells_usage(headers: Mapping[str, str]) -> bool:
    """Whether there is anything to read, before it is read for each of many fanpages."""
    return APP_HEADER in headers or BUSINESS_HEADER in headers


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds from a `Retry-After`, should one come (the platform documents none)."""
    value = headers.get("Retry-After", "").strip()
    return float(value) if value.isascii() and value.isdigit() and len(value) <= 6 else None


def _rows(headers: Mapping[str, str], page_id: str | None) -> Iterator[dict[str, Any]]:
    app = _json(headers.get(APP_HEADER))
    if isinstance(app, dict):
        yield app
    business = _json(headers.get(BUSINESS_HEADER))
    for owner, rows in business.items() if isinstance(business, dict) else ():
        for row in rows if isinstance(rows, list) and page_id in (None, owner) else ():
            if isinstance(row, dict) and row.get("type", "messenger") in _OURS:
                yield row


def _json(text: str | None) -> object:
    try:
        return json.loads(text) if text else None
    except (ValueError, RecursionError):
        return None


def _number(row: dict[str, Any], key: str) -> float:
    value = row.get(key)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return 0.0
    return max(0.0, float(value)) if math.isfinite(value) else 0.0
