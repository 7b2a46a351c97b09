"""From the bytes of a webhook to events fit to be kept, and back. Tokens are sealed on the way in.

What a body may bring is not trusted to be sane: deep nesting, giant numbers, broken text. One bad event never
costs the others of its batch.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import datetime
from typing import Any, NamedTuple

from core.encryption import decrypt, encrypt, lookup_hash
from core.inbox import rules
from core.messenger.events import Malformed, ParsedEvent, RawEvent, milliseconds, parse_webhook
from core.text.identifiers import read_id

__all__ = ["Malformed", "NewEvent", "decrypt_event", "parse_body", "person_of"]

DEPTH_LIMIT = 64  # real events are some ten levels deep
DIGITS_LIMIT = 1000  # Python refuses to read integers beyond 4,300 digits
ENCRYPTED = "sealed"
_TOKEN = "token"  # every secret in an event sits under a key that ends so
_to_json = json.JSONEncoder(separators=(",", ":")).encode
_BRACKETS = re.compile(r'"(?:[^"\\]++|\\.?)*+"?|[\[{\]}]', re.DOTALL)


class NewEvent(NamedTuple):
    """One event ready for the vault; `body` is JSON without any open token."""

    page_id: str
    kind: str
    dedupe_key: str
    occurred_at: datetime
    received_at: datetime
    body: str
    psid: str | None


def parse_body(body: bytes, received_at: datetime) -> list[NewEvent]:
    """The events of a webhook's body; Malformed when it is no JSON or no envelope of events."""
    text = body.decode("utf-8", "replace")
    try:
        return _events(_load(text), received_at)
    except (RecursionError, Malformed):
        shallow = prune_deep_nesting(text)
        if shallow == text:
            raise
        return _events(_load(shallow), received_at)


def _load(text: str) -> object:
    try:
        return _read_json(text)
    except json.JSONDecodeError as problem:
        raise Malformed("the body is no JSON") from problem


def _read_json(text: str) -> object:
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        raise
    except ValueError:  # an integer of more digits than Python reads
        return json.loads(text, parse_int=_integer)


def _integer(digits: str) -> int | str:
    return int(digits) if len(digits) <= DIGITS_LIMIT else digits


def _events(payload: object, received_at: datetime) -> list[NewEvent]:
    return [_new_event(parsed, received_at) for parsed in parse_webhook(payload, lookup_hash)]


def _new_event(parsed: ParsedEvent, received_at: datetime) -> NewEvent:
    key, is_tap = parsed.dedupe_key, parsed.kind == "opt_in"
    return NewEvent(
        page_id=parsed.page_id,
        kind=parsed.kind,
        dedupe_key=rules.time_ordered_key(key, milliseconds(parsed.raw.get("timestamp"))) if is_tap else key,
        occurred_at=rules.occurred_at(parsed.occurred_ms, received_at),
        received_at=received_at,
        body=_to_json(_with_tokens(parsed.raw, _seal)),
        psid=person_of(parsed.raw, parsed.page_id),
    )


def decrypt_event(body: str) -> RawEvent:
    """A stored event with its tokens in the clear; CannotOpen when another key sealed them."""
    opened: RawEvent = _with_tokens(json.loads(body), _unseal)
    return opened


def person_of(raw: RawEvent, page_id: str) -> str | None:
    """The PSID on the customer's side: the sender, or the recipient of what the fanpage itself sent."""
    for side in ("sender", "recipient"):
        party = raw.get(side)
        found = read_id(party.get("id")) if isinstance(party, dict) else None
        if found != page_id:
            return found
    return None


def _with_tokens(value: Any, change: Callable[[Any], Any]) -> Any:
    if isinstance(value, dict):
        return {
            key: change(inner) if key.endswith(_TOKEN) else _with_tokens(inner, change)
            for key, inner in value.items()
        }
    return [_with_tokens(inner, change) for inner in value] if isinstance(value, list) else value


def _seal(value: Any) -> Any:
    if isinstance(value, str):
        return {ENCRYPTED: encrypt(value)}
    if isinstance(value, dict | list):
        return _with_tokens(value, _seal)
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return {ENCRYPTED: encrypt(str(value))} if is_number else value


def _unseal(value: Any) -> Any:
    if isinstance(value, dict) and isinstance(value.get(ENCRYPTED), str):
        return decrypt(value[ENCRYPTED])
    return _with_tokens(value, _unseal)


def prune_deep_nesting(text: str) -> str:
    """JSON text with whatever is nested too deep to be read replaced by null, in one pass."""
    kept: list[str] = []
    depth = start = 0
    for found in _BRACKETS.finditer(text):
        sign = found[0]
        if sign in "[{":
            depth += 1
            if depth == DEPTH_LIMIT + 1:
                kept += [text[start : found.start()], "null"]
        elif sign in "]}":
            if depth == DEPTH_LIMIT + 1:
                start = found.end()
            depth -= 1
    return "".join([*kept, text[start:]]) if depth <= DEPTH_LIMIT else "".join(kept)
