"""Makes the keys by which an event is known again when the platform repeats it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable

from core.messenger.event_fields import RawEvent, milliseconds, opt_in_token, part, party, text
from core.messenger.event_kinds import FIELDS, HANDOVER_KEYS, EventKind


def sha256_hex(text: str) -> str:
    """The SHA-256 of a text, which may hold lone surrogates."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def dedupe_key_of(kind: str, event: RawEvent, token_hash: Callable[[str], str]) -> str:
    """The key of an event: 64 hex digits. `token_hash` makes that of a one-time opt-in from its token."""
    if kind == EventKind.OPT_IN:
        return token_hash(str(opt_in_token(event["optin"])))
    parts = _natural_key(kind, event)
    if parts is None or None in parts:
        return key_of_whole(kind, event)
    return sha256_hex(json.dumps([kind, *parts]))


def _natural_key(kind: str, event: RawEvent) -> list[object] | None:
    """What makes an event of this kind unique. None, or a None in the list, calls for the whole
    event instead."""
    sender, time = party(event, "sender"), milliseconds(event.get("timestamp"))
    body = _body(kind, event)
    mid = text(body.get("mid"))
    if kind in (EventKind.MESSAGE, EventKind.ECHO, EventKind.DELETED):
        return [mid]
    if kind == EventKind.EDIT:
        return [mid, text(body.get("num_edit"))]
    if kind == EventKind.REACTION:
        return [mid, sender, text(body.get("action")), time]
    if kind == EventKind.POSTBACK:
        return [mid] if mid else [sender, time, text(body.get("payload"))]
    if kind == EventKind.REFERRAL:
        return [sender, time, text(body.get("ref"))]
    if kind == EventKind.DELIVERY:  # a watermark is a time: unique only within a thread
        return [sender, milliseconds(body.get("watermark")), _canonical(body.get("mids"))]
    if kind == EventKind.READ:
        return [sender, milliseconds(body.get("watermark"))]
    if kind == EventKind.HANDOVER:
        return [sender, time, next(key for key in HANDOVER_KEYS if key in event)]
    if kind == EventKind.POLICY:
        return [time, text(body.get("action"))]
    return None


def _body(kind: str, event: RawEvent) -> RawEvent:
    """The part of an event that its kind is named after."""
    if kind in (EventKind.MESSAGE, EventKind.ECHO, EventKind.DELETED):
        return part(event, "message")
    return next((part(event, key) for key, of in FIELDS.items() if of == kind and key in event), {})


def key_of_whole(kind: str, raw: RawEvent) -> str:
    """The key of an event of which nothing but its whole content is unique."""
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
