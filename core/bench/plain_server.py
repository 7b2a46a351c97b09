"""What `bench ingest` compares with, on the same uvicorn: `bare` only checks the signature (the limit), and
`simple` commits each request in a session of its own (what most would write first)."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from typing import Any

import uvicorn
from sqlmodel import Session, col, select
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request as HttpRequest
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from core.clock import from_milliseconds, utc_now
from core.consent.rules import OptInSource, OptInState, expires_at
from core.db.engine import DATABASE_TROUBLE, transaction
from core.db.tables import Customer, Event, Fanpage, OptIn, Request
from core.encryption import encrypt, lookup_hash
from core.messenger.signature import HEADER, is_valid
from core.settings import settings


async def bare(request: HttpRequest) -> Response:
    """Check the signature and do nothing else."""
    body = await request.body()
    return PlainTextResponse("ok", 200 if _is_signed(request, body) else 403)


async def simple(request: HttpRequest) -> Response:
    """Store and apply the events of a request in a session of its own."""
    body = await request.body()
    if not _is_signed(request, body):
        return PlainTextResponse("bad signature", 403)
    try:
        await run_in_threadpool(_keep, json.loads(body))
    except DATABASE_TROUBLE as problem:  # so many writers at once, and one waits too long
        sys.stderr.write(f"{type(problem).__name__}: {problem}\n")
        return PlainTextResponse("try again", 503)
    return PlainTextResponse("ok")


def _is_signed(request: HttpRequest, body: bytes) -> bool:
    return is_valid(settings().app_secret.get_secret_value(), body, request.headers.get(HEADER))


def _keep(payload: dict[str, Any]) -> None:
    with transaction() as db:
        for entry in payload["entry"]:
            for event in entry["messaging"]:
                _keep_one(db, entry["id"], event)


def _keep_one(db: Session, page_id: str, event: dict[str, Any]) -> None:
    now, at = utc_now(), from_milliseconds(event["timestamp"])
    token = event["optin"]["one_time_notif_token"]
    key = lookup_hash(token)
    if db.exec(select(Event).where(Event.page_id == page_id, Event.dedupe_key == key)).first():
        return
    db.add(_event(page_id, key, at, now, json.dumps({**event, "optin": {"token": encrypt(token)}})))
    fanpage = db.exec(select(Fanpage).where(Fanpage.page_id == page_id)).one()
    psid = event["sender"]["id"]
    known = select(Customer).where(Customer.fanpage_id == fanpage.id, Customer.psid == psid)
    customer = db.exec(known).first() or Customer(fanpage_id=fanpage.id or 0, psid=psid, created_at=now)
    customer.last_event_at = max(at, customer.last_event_at or datetime.min.replace(tzinfo=UTC))
    db.add(customer)
    db.flush()
    asked = db.exec(select(Request).where(col(Request.payload) == event["optin"]["payload"])).one()
    asked.tapped_at = asked.tapped_at or at
    db.add(
        OptIn(
            fanpage_id=fanpage.id or 0,
            customer_id=customer.id or 0,
            topic_id=asked.topic_id,
            request_id=asked.id,
            promise=asked.title,
            token_hash=key,
            token_sealed=encrypt(token),
            state=OptInState.AVAILABLE,
            source=OptInSource.WEBHOOK,
            consented_at=at,
            expires_at=expires_at(at),
            created_at=now,
        )
    )


def _event(page_id: str, key: str, at: datetime, now: datetime, body: str) -> Event:
    return Event(
        page_id=page_id,
        kind="opt_in",
        dedupe_key=key,
        occurred_at=at,
        received_at=now,
        body=body,
        state="applied",
        applied_at=now,
    )


def main() -> None:
    """Serve the named handler."""
    handler = {"bare": bare, "simple": simple}[sys.argv[1]]
    app = Starlette(routes=[Route("/webhook", handler, methods=["POST"])])
    uvicorn.run(
        app,
        host="127.0.0.1",
        port=settings().webhook_port,
        access_log=False,
        log_level="critical",
        timeout_keep_alive=75,  # `simple` keeps the loop waiting for longer than uvicorn's five seconds
    )


if __name__ == "__main__":
    main()
