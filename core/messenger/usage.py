"""Reads how much of our call allowance is used, from two response headers of the platform."""

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
    """How full the fullest allowance is, in percent (calls are throttled at 100). `seen_at` is
    monotonic time."""

    percent: float
    regain_seconds: float
    seen_at: float


def read_usage(headers: Mapping[str, str], seen_at: float, *, page_id: str | None = None) -> Usage | None:
    """Read the usage from the headers of an answer; None when they say nothing, as is usual at low volume.

    With `page_id` it is what the answer to a call for several fanpages says about that fanpage: the allowance
    of the app is shared, that of a fanpage is its own.
    """
    rows = list(_rows(headers, page_id))
    if not rows:
        return None
    percent = max(_number(row, key) for row in rows for key in _PERCENTAGES)
    minutes = max(_number(row, "estimated_time_to_regain_access") for row in rows)
    return Usage(percent, minutes * 60, seen_at)


def tells_usage(headers: Mapping[str, str]) -> bool:
    """Whether headers say anything about usage."""
    return APP_HEADER in headers or BUSINESS_HEADER in headers


def retry_after(headers: Mapping[str, str]) -> float | None:
    """The seconds of a `Retry-After` header, or None. The platform documents no such header."""
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
