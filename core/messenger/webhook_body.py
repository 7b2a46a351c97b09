"""Takes the body of a webhook apart into events. It is pure and accepts any shape: what it does not
understand becomes an event of an unknown kind.

Shapes: https://developers.facebook.com/docs/messenger-platform/webhooks and its pages on each event.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from core.messenger.dedupe_keys import dedupe_key_of, key_of_whole, sha256_hex
from core.messenger.event_fields import RawEvent, milliseconds, part, party, text
from core.messenger.event_kinds import PERSONAL, STANDBY, EventKind, base_kind, kind_in_standby, kind_of
from core.text.identifiers import read_id


class Malformed(ValueError):
    """The body is not that of a webhook: it is no {"object": ..., "entry": [...]}."""


@dataclass(frozen=True)
class ParsedEvent:
    """One event. `dedupe_key` (64 hex digits) is the same whenever the platform repeats the event."""

    page_id: str  # "" when the event names none
    kind: str
    occurred_ms: int | None
    dedupe_key: str
    raw: RawEvent = field(repr=False)  # may hold a one-time token


def parse_webhook(payload: object, token_hash: Callable[[str], str]) -> list[ParsedEvent]:
    """All events of a body, in their order. `token_hash` makes the dedupe key of a one-time opt-in. Raises
    Malformed."""
    if not isinstance(payload, dict) or not isinstance(payload.get("object"), str):
        raise Malformed("the body names no object")
    entries = payload.get("entry")
    if not isinstance(entries, list):
        raise Malformed("the body has no list of entries")
    is_page = payload["object"] == "page"
    return [event for entry in entries for event in _entry(entry, is_page, token_hash)]


def _entry(entry: object, is_page: bool, token_hash: Callable[[str], str]) -> Iterator[ParsedEvent]:
    if not isinstance(entry, dict):
        yield _unknown("", None, {"entry": entry})
        return
    page_id, time = read_id(entry.get("id")) or "", milliseconds(entry.get("time"))
    lists = {key: entry[key] for key in ("messaging", "standby", "changes") if key in entry}
    if not is_page or not lists:
        yield _unknown(page_id, time, entry)
        return
    for key, events in lists.items():
        for event in events if isinstance(events, list) else [{key: events}]:
            yield _event(key, event, page_id, time, token_hash)


def _event(
    key: str, event: object, page_id: str, time: int | None, token_hash: Callable[[str], str]
) -> ParsedEvent:
    if not isinstance(event, dict):
        return _unknown(page_id, time, {key: event})
    if key == "changes":
        return _change(event, page_id, time)
    own_kind = kind_of(event)
    kind: str = own_kind
    page_id = page_id or party(event, "sender" if kind == EventKind.ECHO else "recipient") or ""
    occurred = milliseconds(event.get("timestamp")) or time
    dedupe_key = dedupe_key_of(kind, event, token_hash)
    if key == STANDBY:
        kind = kind_in_standby(own_kind)
        dedupe_key = dedupe_key if kind == EventKind.OPT_IN else sha256_hex(f"standby {dedupe_key}")
    if base_kind(kind) in PERSONAL and page_id and party(event, "sender") == page_id:
        kind = EventKind.OWN
    return ParsedEvent(page_id, kind, occurred, dedupe_key, event)


def _change(event: RawEvent, page_id: str, time: int | None) -> ParsedEvent:
    value = part(event, "value")
    comment_id, verb = text(value.get("comment_id")), text(value.get("verb"))
    if event.get("field") == "feed" and value.get("item") == "comment" and comment_id and verb:
        occurred = milliseconds(value.get("created_time")) or time
        return ParsedEvent(
            page_id, EventKind.COMMENT, occurred, sha256_hex(f"comment {comment_id} {verb}"), event
        )
    return ParsedEvent(page_id, EventKind.CHANGE, time, key_of_whole(EventKind.CHANGE, event), event)


def _unknown(page_id: str, time: int | None, raw: RawEvent) -> ParsedEvent:
    return ParsedEvent(page_id, EventKind.UNKNOWN, time, key_of_whole(EventKind.UNKNOWN, raw), raw)
