"""What the platform would send, for tests: events, envelopes and signed bytes."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from sqlmodel import select

from core.db.engine import reading
from core.inbox.event_parser import NewEvent, parse_body
from core.messenger.signature import HEADER, sign

PAGE = "100000000000001"
APP_SECRET = "app-secret-for-tests"  # as in tests/conftest.py


def rows(table: Any, *conditions: Any) -> list[Any]:
    """The rows of a table, by their ids."""
    with reading() as db:
        keys = table.__table__.primary_key
        return list(db.execute(select(table).where(*conditions).order_by(*keys)).scalars())


def milliseconds(at: datetime) -> int:
    return int(at.timestamp() * 1000)


def event(psid: str | None, at: datetime, page_id: str = PAGE, **content: Any) -> dict[str, Any]:
    sender = {} if psid is None else {"sender": {"id": psid}}
    return {**sender, "recipient": {"id": page_id}, "timestamp": milliseconds(at), **content}


def tap(psid: str | None, at: datetime, token: str, payload: str = "", page_id: str = PAGE) -> dict[str, Any]:
    optin = {"type": "one_time_notif_req", "payload": payload, "one_time_notif_token": token}
    return event(psid, at, page_id, optin=optin)


def said(psid: str, at: datetime, text: str, mid: str) -> dict[str, Any]:
    return event(psid, at, message={"mid": mid, "text": text})


def envelope(*events: Any, page_id: str = PAGE, channel: str = "messaging") -> dict[str, Any]:
    """`channel` is "standby" for what is told of conversations that another app holds."""
    return {"object": "page", "entry": [{"id": page_id, "time": 1795000000000, channel: list(events)}]}


def body(*events: Any, page_id: str = PAGE, channel: str = "messaging") -> bytes:
    """As on the wire: ASCII, slashes escaped."""
    return json.dumps(envelope(*events, page_id=page_id, channel=channel)).replace("/", "\\/").encode()


def signed(raw: bytes, secret: str = APP_SECRET) -> dict[str, str]:
    return {HEADER: sign(secret, raw), "Content-Type": "application/json"}


def read(
    *events: Any, received_at: datetime, page_id: str = PAGE, channel: str = "messaging"
) -> list[NewEvent]:
    return parse_body(body(*events, page_id=page_id, channel=channel), received_at)
