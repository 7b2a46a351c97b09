"""Reads the fields of an event, whose types nobody can trust: one of the wrong type reads as missing."""

from __future__ import annotations

from typing import Any

from core.text.identifiers import read_id, unwrapped

RawEvent = dict[str, Any]
LATEST_MS = 253_402_300_799_999  # the last moment of the year 9999


def part(event: RawEvent, key: str) -> RawEvent:
    """The object under a key; an empty one where there is none."""
    value = event.get(key)
    return value if isinstance(value, dict) else {}


def text(value: object) -> str | None:
    """A text, or a number as a text; None for anything else and for an empty text."""
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        return None
    return str(value) or None


def party(event: RawEvent, side: str) -> str | None:
    """The id of an event's "sender" or "recipient"."""
    return read_id(part(event, side).get("id"))


def person_of(event: RawEvent, page_id: str) -> str | None:
    """The PSID of the customer an event is about: its sender, or its recipient if the fanpage sent it. Of a
    change of the feed it is the author, whose id is assumed to be a PSID."""
    found = party(event, "sender") or party(part(event, "value"), "from")
    if found == page_id:
        found = party(event, "recipient")
    return found if found != page_id else None


def opt_in_token(optin: RawEvent) -> str | None:
    """The token of a one-time opt-in, which is a secret, or None when it has none."""
    return unwrapped(text(optin.get("one_time_notif_token")) or "") or None


def milliseconds(value: object) -> int | None:
    """Read a timestamp of the platform as milliseconds, or None when it is absurd. The feed's
    are in seconds."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 15:
        value = int(value)
    if isinstance(value, float) and 100_000_000_000 <= value <= LATEST_MS:
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or value <= 0:
        return None
    value = value * 1000 if value < 100_000_000_000 else value
    return value if value <= LATEST_MS else None
