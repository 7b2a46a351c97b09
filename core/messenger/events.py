"""Takes the body of a webhook apart into events. It is pure and accepts any shape: what it does not
understand becomes an event of an unknown kind.

Shapes: https://developers.facebook.com/docs/messenger-platform/webhooks and its pages on each event.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from core.text.identifiers import read_id, unwrapped

RawEvent = dict[str, Any]
LATEST_MS = 253_402_300_799_999  # the last moment of the year 9999
_HANDOVERS = ("pass_thread_control", "take_thread_control", "request_thread_control", "app_roles")
POLICY_KEYS = ("policy_enforcement", "policy-enforcement")  # the hyphen is the older spelling
_PLAIN_KINDS = {
    "message_edit": "edit",
    "reaction": "reaction",
    "postback": "postback",
    "referral": "referral",
    "delivery": "delivery",
    "read": "read",
    **dict.fromkeys(POLICY_KEYS, "policy"),
}
# Events of the standby channel: another app controls the conversation, and we are told what happens in it.
# https://developers.facebook.com/documentation/business-messaging/messenger-platform/webhooks/webhook-events/standby
STANDBY = "standby"
_TOLD_IN_STANDBY = ("message", "postback", "referral", "reaction", "echo", "delivery", "read")
# Only a person does these. An event of such a kind whose sender is the fanpage is of the kind OWN instead.
_ACTS = (
    "message",
    "deleted",
    "edit",
    "reaction",
    "postback",
    "referral",
    "opt_in",
    "opt_in_other",
    "delivery",
    "read",
)
OWN = "own"
# https://developers.facebook.com/docs/pages-api/integrity-webhook: a status, and what Meta holds against it.
_INTEGRITY_LISTS = ("violations", "restrictions", "resolutions")


class Malformed(ValueError):
    """The body is not that of a webhook: it is no {"object": ..., "entry": [...]}."""


@dataclass(frozen=True)
class ParsedEvent:
    """One event. `dedupe_key` (64 hex digits) is the same whenever the platform repeats the event."""

    page_id: str  # "" when the event names none
    kind: str
    psid: str | None
    occurred_ms: int | None
    dedupe_key: str
    raw: RawEvent = field(repr=False)  # may hold a one-time token


def sha256_hex(text: str) -> str:
    """The SHA-256 of a text, which may hold lone surrogates."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def parse_webhook(payload: object, token_hash: Callable[[str], str] = sha256_hex) -> list[ParsedEvent]:
    """All events of a body, in their order. `token_hash` makes the dedupe key of a one-time opt-in. Raises
    Malformed."""
    if not isinstance(payload, dict) or not isinstance(payload.get("object"), str):
        raise Malformed("the body names no object")
    entries = payload.get("entry")
    if not isinstance(entries, list):
        raise Malformed("the body has no list of entries")
    is_page = payload["object"] == "page"
    return [event for entry in entries for event in _entry(entry, is_page, token_hash)]


def opt_in_token(optin: RawEvent) -> str | None:
    """The token of a one-time opt-in, which is a secret, or None when it has none."""
    return unwrapped(_text(optin.get("one_time_notif_token")) or "") or None


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
    kind = _kind(event)
    page_id = page_id or _party(event, "sender" if kind == "echo" else "recipient") or ""
    occurred = milliseconds(event.get("timestamp")) or time
    dedupe_key = _dedupe_key(kind, event, token_hash)
    if key == STANDBY:
        kind = _kind_in_standby(kind)
        dedupe_key = dedupe_key if kind == "opt_in" else sha256_hex(f"standby {dedupe_key}")
    if base_kind(kind) in _ACTS and page_id and _party(event, "sender") == page_id:
        kind = OWN
    return ParsedEvent(page_id, kind, _psid(event, page_id), occurred, dedupe_key, event)


def _kind_in_standby(kind: str) -> str:
    """The kind of an event that came in the standby channel. An opt-in stays an opt-in: its token is good
    whoever controls the conversation."""
    if kind == "opt_in":
        return kind
    return f"{STANDBY}_{kind}" if kind in _TOLD_IN_STANDBY else STANDBY


def base_kind(kind: str) -> str:
    """The kind of an event without regard to the channel in which it came."""
    return kind.removeprefix(f"{STANDBY}_")


def is_standby(kind: str) -> bool:
    """Whether another app controlled the conversation when the event happened."""
    return kind.startswith(STANDBY)


def _kind(event: RawEvent) -> str:
    message = event.get("message")
    if isinstance(message, dict):
        return "deleted" if message.get("is_deleted") else "echo" if message.get("is_echo") else "message"
    optin = event.get("optin")
    if isinstance(optin, dict):
        is_ours = optin.get("type") == "one_time_notif_req" and opt_in_token(optin)
        return "opt_in" if is_ours else "opt_in_other"
    if any(isinstance(event.get(key), dict) for key in _HANDOVERS):
        return "handover"
    found = (kind for key, kind in _PLAIN_KINDS.items() if isinstance(event.get(key), dict))
    return next(found, "integrity" if _is_integrity(event) else "unknown")


def _is_integrity(event: RawEvent) -> bool:
    lists = any(isinstance(event.get(key), list) for key in _INTEGRITY_LISTS)
    return isinstance(event.get("status"), str) and lists


def _dedupe_key(kind: str, event: RawEvent, token_hash: Callable[[str], str]) -> str:
    if kind == "opt_in":
        return token_hash(str(opt_in_token(event["optin"])))
    parts = _natural_key(kind, event)
    if parts is None or None in parts:
        return _whole(kind, event)
    return sha256_hex(json.dumps([kind, *parts]))


def _natural_key(kind: str, event: RawEvent) -> list[object] | None:
    """What makes an event of this kind unique. None, or a None in the list, calls for the whole
    event instead."""
    sender, time = _party(event, "sender"), milliseconds(event.get("timestamp"))
    body = _body(kind, event)
    mid = _text(body.get("mid"))
    if kind in ("message", "echo", "deleted"):
        return [mid]
    if kind == "edit":
        return [mid, _text(body.get("num_edit"))]
    if kind == "reaction":
        return [mid, sender, _text(body.get("action")), time]
    if kind == "postback":
        return [mid] if mid else [sender, time, _text(body.get("payload"))]
    if kind == "referral":
        return [sender, time, _text(body.get("ref"))]
    if kind == "delivery":  # a watermark is a time: unique only within a thread
        return [sender, milliseconds(body.get("watermark")), _canonical(body.get("mids"))]
    if kind == "read":
        return [sender, milliseconds(body.get("watermark"))]
    if kind == "handover":
        return [sender, time, next(key for key in _HANDOVERS if key in event)]
    if kind == "policy":
        return [time, _text(body.get("action"))]
    return None


def _body(kind: str, event: RawEvent) -> RawEvent:
    """The part of an event that its kind is named after."""
    if kind in ("message", "echo", "deleted"):
        return _part(event, "message")
    return next((_part(event, key) for key, of in _PLAIN_KINDS.items() if of == kind and key in event), {})


def _change(event: RawEvent, page_id: str, time: int | None) -> ParsedEvent:
    value = _part(event, "value")
    comment_id, verb = _text(value.get("comment_id")), _text(value.get("verb"))
    if event.get("field") == "feed" and value.get("item") == "comment" and comment_id and verb:
        occurred = milliseconds(value.get("created_time")) or time
        return ParsedEvent(
            page_id, "comment", None, occurred, sha256_hex(f"comment {comment_id} {verb}"), event
        )
    return ParsedEvent(page_id, "change", None, time, _whole("change", event), event)


def _unknown(page_id: str, time: int | None, raw: RawEvent) -> ParsedEvent:
    return ParsedEvent(page_id, "unknown", None, time, _whole("unknown", raw), raw)


def _whole(kind: str, raw: RawEvent) -> str:
    return sha256_hex(f"{kind} {_canonical(raw)}")


def _canonical(value: object) -> str:
    try:
        return json.dumps(value, sort_keys=True, separators=(",", ":"))
    except RecursionError:  # no real event is nested so deep; its upper levels identify it well enough
        return json.dumps(_upper_levels(value, 20), sort_keys=True, separators=(",", ":"))


def _upper_levels(value: object, levels: int) -> object:
    if not isinstance(value, (dict, list)):
        return value
    if levels == 0:
        return None
    if isinstance(value, dict):
        return {key: _upper_levels(inner, levels - 1) for key, inner in value.items()}
    return [_upper_levels(inner, levels - 1) for inner in value]


def _psid(event: RawEvent, page_id: str) -> str | None:
    """The PSID of the person: usually the sender of the event, and of an echo the recipient."""
    sender = _party(event, "sender")
    found = sender if sender != page_id else _party(event, "recipient")
    return found if found != page_id else None


def _party(event: RawEvent, side: str) -> str | None:
    return read_id(_part(event, side).get("id"))


def _part(event: RawEvent, key: str) -> RawEvent:
    value = event.get(key)
    return value if isinstance(value, dict) else {}


def _text(value: object) -> str | None:
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        return None
    return str(value) or None
