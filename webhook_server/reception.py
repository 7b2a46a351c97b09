"""Takes in one POST: whole body, signature over its raw bytes, events, and an answer after the commit."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Sequence
from contextlib import suppress

import structlog
from sqlalchemy.exc import DBAPIError
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from core.clock import utc_now
from core.inbox import actions, queries
from core.inbox.intake import Duties, Intake, Outcome, Parcel
from core.inbox.vault import Malformed, NewEvent, read_body
from core.messenger.signature import HEADER, is_valid
from webhook_server.answers import STORED, refusal
from webhook_server.logs import Sparingly
from webhook_server.metrics import Metrics
from webhook_server.pulse import Pulse

BODY_LIMIT = 16 * 1024 * 1024  # a thousand updates of the longest texts stay well below
BODIES_LIMIT = 128 * 1024 * 1024  # in hand at once, whoever sends them
BODY_SECONDS = 10.0
ANSWER_SECONDS = 4.0  # the platform gives up after 5 and sends again, which does no harm
LONG_BODY = 64 * 1024  # read in a thread of its own, so that others are answered meanwhile

Asker = asyncio.Future[Outcome]

log = structlog.get_logger(__name__)


class Refused(Exception):
    """The request gets no further; `reason` is one of the metrics' outcomes."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


class Reception:
    """Everything between the route and the inbox. Starts and ends with the server."""

    def __init__(self, app_secret: str, demo_secret: str) -> None:
        self._app_secret = app_secret
        self._demo_secret = demo_secret
        self._sparing_log = Sparingly(log)
        self._bytes_in_hand = 0
        self.metrics = Metrics(lambda: self._intake.events_waiting, _backlog)
        self._pulse = Pulse()
        self._intake: Intake[Asker] = Intake(
            Duties(
                store=actions.store,
                has_backlog=queries.has_pending,
                apply=self._apply,
                answer=_answer,
                committed=self.metrics.committed,
                pulse=self._pulse,
            )
        )

    def open(self) -> None:
        self._intake.start()
        log.info("webhook.open", accepts_real_fanpages=bool(self._app_secret))

    async def close(self) -> None:
        await run_in_threadpool(self._intake.close)
        await run_in_threadpool(self._pulse.stop)
        log.info("webhook.closed")

    @property
    def is_open(self) -> bool:
        return self._intake.is_alive

    async def post(self, request: Request) -> Response:
        chunks: list[bytes] = []
        try:
            await self._gather(request, chunks)
            began = time.perf_counter()
            await self._keep(await self._events(b"".join(chunks), request.headers.get(HEADER)))
        except Refused as refused:
            self.metrics.outcomes[refused.reason].inc()
            self._sparing_log.warn("webhook.refused", refused.reason)
            return refusal(refused.reason)
        finally:
            self._bytes_in_hand -= sum(map(len, chunks))
        self.metrics.outcomes["stored"].inc()
        self.metrics.seconds.observe(time.perf_counter() - began)
        return STORED

    async def _gather(self, request: Request, chunks: list[bytes]) -> None:
        """The body as it came. What is too long is refused by its header, or as soon as it shows."""
        declared = request.headers.get("content-length", "")
        if declared.isdecimal() and (len(declared) > 12 or int(declared) > BODY_LIMIT):
            raise Refused("too_large")
        length = 0
        try:
            async with asyncio.timeout(BODY_SECONDS):
                async for chunk in request.stream():
                    length += len(chunk)
                    if length > BODY_LIMIT:
                        raise Refused("too_large")
                    if self._bytes_in_hand + len(chunk) > BODIES_LIMIT:
                        raise Refused("unavailable")
                    self._bytes_in_hand += len(chunk)
                    chunks.append(chunk)
        except (TimeoutError, ClientDisconnect):
            raise Refused("too_slow") from None

    async def _events(self, body: bytes, signature: str | None) -> list[NewEvent]:
        """The body's events, if the platform or our own demo signed it."""
        if is_valid(self._app_secret, body, signature):
            return await self._read(body)
        if not is_valid(self._demo_secret, body, signature):
            raise Refused("bad_signature")
        events = await self._read(body)
        if not await self._are_all_demo(events):
            raise Refused("foreign")  # the demo's secret opens nobody else's door
        return events

    async def _read(self, body: bytes) -> list[NewEvent]:
        try:
            if len(body) > LONG_BODY:
                return await run_in_threadpool(read_body, body, utc_now())
            return read_body(body, utc_now())
        except Malformed:
            raise Refused("malformed") from None

    async def _are_all_demo(self, events: Sequence[NewEvent]) -> bool:
        try:
            return await run_in_threadpool(queries.are_all_demo, {event.page_id for event in events})
        except DBAPIError:
            raise Refused("unavailable") from None

    async def _keep(self, events: Sequence[NewEvent]) -> None:
        """Returns when the events are committed."""
        if not events:
            return
        done: Asker = asyncio.get_running_loop().create_future()
        if not self._intake.submit(Parcel(events, done)):
            raise Refused("unavailable")
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                outcome = await done
        except TimeoutError:
            raise Refused("unavailable") from None
        if outcome is not Outcome.STORED:
            raise Refused("unavailable")

    def _apply(self, limit: int) -> int:
        applied = actions.apply_turn(limit, utc_now())
        self.metrics.applied.inc(applied)
        return applied


def _backlog() -> float:
    try:
        return queries.count_pending()
    except DBAPIError:
        return math.nan  # the page of metrics is still worth reading


def _answer(parcels: Sequence[Parcel[Asker]], outcome: Outcome) -> None:
    """Called in the writer's thread, once for a group: waking the loop is the dear part."""
    with suppress(RuntimeError):  # the loop has ended: nobody waits any more
        parcels[0].asker.get_loop().call_soon_threadsafe(_settle, parcels, outcome)


def _settle(parcels: Sequence[Parcel[Asker]], outcome: Outcome) -> None:
    for parcel in parcels:
        if not parcel.asker.done():
            parcel.asker.set_result(outcome)
