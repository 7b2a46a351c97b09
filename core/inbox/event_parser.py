"""Parses the body of a webhook into events that are ready to be stored, with their tokens encrypted.

A body may hold anything: deep nesting, giant numbers, broken text. An event that cannot be read is kept as an
unknown one and never costs the other events of its body.
"""

from __future__ import annotations

import json
import re
from datetime import datetime
from typing import NamedTuple

from core.inbox import rules
from core.inbox.event_tokens import encrypt_event
from core.installation.token_hash import token_hash
from core.messenger.event_fields import milliseconds, person_of
from core.messenger.event_kinds import EventKind
from core.messenger.webhook_body import Malformed, ParsedEvent, parse_webhook

DEPTH_LIMIT = 64  # real events are some ten levels deep
DIGITS_LIMIT = 1000  # Python refuses to read integers beyond 4,300 digits
_BRACKETS = re.compile(r'"(?:[^"\\]++|\\.?)*+"?|[\[{\]}]', re.DOTALL)


class NewEvent(NamedTuple):
    """One event that is ready to be stored; `event_json` is without any readable token."""

    page_id: str
    kind: str
    dedupe_key: str
    occurred_at: datetime
    received_at: datetime
    event_json: str
    psid: str | None
    http_request_id: str | None = None  # of the request that brought it


def parse_body(body: bytes, received_at: datetime, http_request_id: str | None = None) -> list[NewEvent]:
    """Parse the body of a webhook. Raises Malformed when it is not JSON or holds no list of entries."""
    return [event._replace(http_request_id=http_request_id) for event in _parse(body, received_at)]


def _parse(body: bytes, received_at: datetime) -> list[NewEvent]:
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
    return [_new_event(parsed, received_at) for parsed in parse_webhook(payload, token_hash)]


def _new_event(parsed: ParsedEvent, received_at: datetime) -> NewEvent:
    # Only for taps, which come in the largest bursts: right after a request went out to many.
    key, is_tap = parsed.dedupe_key, parsed.kind == EventKind.OPT_IN
    return NewEvent(
        page_id=parsed.page_id,
        kind=parsed.kind,
        dedupe_key=rules.time_ordered_key(key, milliseconds(parsed.raw.get("timestamp"))) if is_tap else key,
        occurred_at=rules.occurred_at(parsed.occurred_ms, received_at),
        received_at=received_at,
        event_json=encrypt_event(parsed.raw),
        psid=person_of(parsed.raw, parsed.page_id),
    )


def prune_deep_nesting(text: str) -> str:
    """Return JSON text in which whatever is nested deeper than `DEPTH_LIMIT` is replaced by null."""
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
