"""The commonest webhook by far, read the short way: taps on "Notify Me", exactly as Messenger writes them."""

from __future__ import annotations

from typing import NamedTuple

from core.messenger.events import LATEST_MS, Raw
from core.text.identifiers import is_id, unwrapped
from core.text.normalise import storable

_BODY = {"object", "entry"}
_ENTRY = {"id", "time", "messaging"}
_EVENT = {"sender", "recipient", "timestamp", "optin"}
_PARTY = {"id"}
_OPTIN = {"type", "payload", "one_time_notif_token"}
_EARLIEST_MS = 100_000_000_000  # less would be seconds


class PlainTap(NamedTuple):
    """What `events.parse` would find in it. `raw` holds the token, so this is never shown or logged."""

    page_id: str
    psid: str
    payload: str
    token: str
    occurred_ms: int
    raw: Raw


def plain_taps(body: object) -> list[PlainTap] | None:
    """The taps of a body that holds nothing else; None when any of it calls for `events.parse`."""
    if not isinstance(body, dict) or body.keys() != _BODY or body["object"] != "page":
        return None
    entries = body["entry"]
    if not isinstance(entries, list):
        return None
    taps: list[PlainTap] = []
    for entry in entries:
        if not isinstance(entry, dict) or entry.keys() != _ENTRY or not isinstance(entry["messaging"], list):
            return None
        for event in entry["messaging"]:
            tap = _tap(entry["id"], event)
            if tap is None:
                return None
            taps.append(tap)
    return taps


def _tap(page_id: object, event: object) -> PlainTap | None:
    if not isinstance(event, dict) or event.keys() != _EVENT:
        return None
    optin, time = event["optin"], event["timestamp"]
    if not isinstance(optin, dict) or optin.keys() != _OPTIN or optin["type"] != "one_time_notif_req":
        return None
    psid, payload, token = _id_of(event["sender"]), optin["payload"], optin["one_time_notif_token"]
    if not is_id(page_id) or not is_id(psid) or psid == page_id or _id_of(event["recipient"]) is None:
        return None
    if type(time) is not int or not _EARLIEST_MS <= time <= LATEST_MS:
        return None
    if type(token) is not str or not token or unwrapped(token) != token:
        return None
    if type(payload) is not str or storable(payload) != payload:
        return None
    return PlainTap(page_id, psid, payload, token, time, event)  # type: ignore[arg-type]


def _id_of(party: object) -> object:
    return party["id"] if isinstance(party, dict) and party.keys() == _PARTY else None
