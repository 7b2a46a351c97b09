"""Handles a POST to /webhook: reads the body, checks its signature, and answers once its events
are stored."""

from __future__ import annotations

import asyncio
import math
import time
from collections import deque
from collections.abc import Sequence
from contextlib import suppress

import structlog
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from starlette.concurrency import run_in_threadpool
from starlette.types import Receive, Scope, Send

from core import logs
from core.clock import utc_now
from core.inbox import queries
from core.inbox.event_parser import NewEvent, parse_body
from core.inbox.intake import Intake, IntakeRequest, IntakeResult
from core.installation.heartbeat import WEBHOOK, HeartbeatWriter
from core.messenger.signature import HEADER, is_valid
from core.messenger.webhook_body import Malformed
from webhook_server.logs import ThrottledLog
from webhook_server.metrics import Metrics
from webhook_server.responses import STORED_BODY, STORED_START, refusal_response

BODY_LIMIT = 16 * 1024 * 1024  # a thousand updates of the longest texts stay well below
BODIES_LIMIT = 128 * 1024 * 1024  # of all bodies that are being read at once
BODY_SECONDS = 10.0
ANSWER_SECONDS = 4.0  # the platform gives up after 5 and sends again, which does no harm
REFUSED_FOR = 5.0  # seconds for which we say so; then another request may try it
NEVER = float("-inf")
EXPIRE_EVERY_SECONDS = 0.1
LONG_BODY = 64 * 1024  # a longer body is parsed in a thread, so that others are answered meanwhile

_SIGNATURE = HEADER.lower().encode()

AnswerFuture = asyncio.Future[IntakeResult]

log = structlog.get_logger(__name__)


class RequestRefused(Exception):
    """A request that is refused; `reason` is one of `metrics.OUTCOMES`."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


class WebhookEndpoint:
    """The ASGI application of POST /webhook. It is opened and closed with the server."""

    def __init__(self, app_secret: str, demo_secret: str) -> None:
        self._app_secret = app_secret
        self._demo_secret = demo_secret
        self._sparing_log = ThrottledLog(log)
        self._bytes_in_hand = 0
        self._awaited = AwaitedAnswers()
        self._refused_at = NEVER
        self.metrics = Metrics(lambda: self._intake.events_waiting, _backlog)
        self._heartbeat = HeartbeatWriter(WEBHOOK, utc_now)
        self._intake: Intake[AnswerFuture] = Intake(
            answer=self._answer,
            on_committed=self.metrics.committed,
            on_applied=self.metrics.applied.inc,
            on_idle=self._heartbeat.beat_sparingly,
        )

    def open(self) -> None:
        """Start the thread that stores and applies events."""
        self._intake.start()
        log.info("webhook_opened", accepts_real_fanpages=bool(self._app_secret))

    async def close(self) -> None:
        """Store and answer what is waiting, and remove our heartbeat."""
        await run_in_threadpool(self._intake.close)
        await run_in_threadpool(self._heartbeat.remove)
        log.info("webhook_closed")

    @property
    def is_open(self) -> bool:
        return self._intake.is_alive

    @property
    def was_refused_lately(self) -> bool:
        """Whether the database did not take in what came last, a moment ago."""
        return time.monotonic() - self._refused_at < REFUSED_FOR

    def _answer(self, requests: Sequence[IntakeRequest[AnswerFuture]], result: IntakeResult) -> None:
        self._refused_at = time.monotonic() if result == IntakeResult.UNAVAILABLE else NEVER
        _answer(requests, result)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one POST. As an ASGI application this costs half of what a route's function would."""
        chunks: list[bytes] = []
        signature, declared = _headers(scope)
        try:
            await self._read_body(receive, declared, chunks)
            began = time.perf_counter()
            body = chunks[0] if len(chunks) == 1 else b"".join(chunks)
            await self._store(await self._verified_events(body, signature))
        except RequestRefused as refused:
            self.metrics.outcomes[refused.reason].inc()
            self._sparing_log.warn("webhook_refused", refused.reason)
            await refusal_response(refused.reason)(scope, receive, send)
            return
        finally:
            self._bytes_in_hand -= sum(map(len, chunks))
        await send(STORED_START)
        await send(STORED_BODY)
        self.metrics.outcomes["stored"].inc()
        self.metrics.seconds.observe(time.perf_counter() - began)

    async def _read_body(self, receive: Receive, declared: str, chunks: list[bytes]) -> None:
        """Read the body into `chunks`. Raises RequestRefused when it is too long, as soon as that shows, or
        too slow."""
        if declared.isdecimal() and (len(declared) > 12 or int(declared) > BODY_LIMIT):
            raise RequestRefused("too_large")
        length, is_more = 0, True
        try:
            async with asyncio.timeout(BODY_SECONDS):
                while is_more:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        raise RequestRefused("too_slow")
                    chunk, is_more = message.get("body", b""), message.get("more_body", False)
                    length += len(chunk)
                    if length > BODY_LIMIT:
                        raise RequestRefused("too_large")
                    if self._bytes_in_hand + len(chunk) > BODIES_LIMIT:
                        raise RequestRefused("unavailable")
                    self._bytes_in_hand += len(chunk)
                    chunks.append(chunk)
        except TimeoutError:
            raise RequestRefused("too_slow") from None

    async def _verified_events(self, body: bytes, signature: str | None) -> list[NewEvent]:
        """The events of a body that the platform has signed, or the simulator of the demo."""
        if is_valid(self._app_secret, body, signature):
            return await self._parse(body)
        if not is_valid(self._demo_secret, body, signature):
            raise RequestRefused("bad_signature")
        events = await self._parse(body)
        if not await self._are_all_demo(events):
            raise RequestRefused("foreign")  # the demo's secret is good for demo fanpages only
        return events

    async def _parse(self, body: bytes) -> list[NewEvent]:
        try:
            if len(body) > LONG_BODY:
                return await run_in_threadpool(parse_body, body, utc_now(), logs.request_id())
            return parse_body(body, utc_now(), logs.request_id())
        except Malformed:
            raise RequestRefused("malformed") from None
        except SQLAlchemyError:  # the key of the tokens' hashes could not be read yet
            raise RequestRefused("unavailable") from None

    async def _are_all_demo(self, events: Sequence[NewEvent]) -> bool:
        try:
            return await run_in_threadpool(queries.are_all_demo, {event.page_id for event in events})
        except DBAPIError:
            raise RequestRefused("unavailable") from None

    async def _store(self, events: Sequence[NewEvent]) -> None:
        """Return when the events are committed. Raises RequestRefused when they could not be stored."""
        if not events:
            return
        done = self._awaited.new_future()
        if not self._intake.submit(IntakeRequest(events, done, logs.request_id())):
            raise RequestRefused("unavailable")
        if await done is not IntakeResult.STORED:
            raise RequestRefused("unavailable")


class AwaitedAnswers:
    """The requests that wait for their commit. One timer serves all of them, since a timer for each would
    cost more than the waiting."""

    def __init__(self) -> None:
        self._waiting: deque[tuple[float, AnswerFuture]] = deque()
        self._timer_runs = False

    def new_future(self) -> AnswerFuture:
        """A future for the answer to one request; it becomes UNAVAILABLE when the commit takes too long."""
        loop = asyncio.get_running_loop()
        made: AnswerFuture = loop.create_future()
        self._waiting.append((loop.time() + ANSWER_SECONDS, made))
        if not self._timer_runs:
            self._expire(loop)
        return made

    def _expire(self, loop: asyncio.AbstractEventLoop) -> None:
        while self._waiting and (self._waiting[0][1].done() or self._waiting[0][0] <= loop.time()):
            late = self._waiting.popleft()[1]
            if not late.done():
                late.set_result(IntakeResult.UNAVAILABLE)
        self._timer_runs = bool(self._waiting)
        if self._timer_runs:
            loop.call_later(EXPIRE_EVERY_SECONDS, self._expire, loop)


def _headers(scope: Scope) -> tuple[str | None, str]:
    """The signature, and the declared length of the body as a text."""
    signature, declared = None, ""
    for name, value in scope["headers"]:
        if name == _SIGNATURE:
            signature = value.decode("latin-1")
        elif name == b"content-length":
            declared = value.decode("latin-1")
    return signature, declared


def _backlog() -> float:
    try:
        return queries.count_pending()
    except DBAPIError:
        return math.nan  # the other metrics are still worth reading


def _answer(requests: Sequence[IntakeRequest[AnswerFuture]], outcome: IntakeResult) -> None:
    """Answer a group of requests. It is called on the thread of the intake, once for a group, because waking
    the event loop is what costs."""
    with suppress(RuntimeError):  # the loop has ended, so nobody waits any more
        requests[0].answer_to.get_loop().call_soon_threadsafe(_resolve, requests, outcome)


def _resolve(requests: Sequence[IntakeRequest[AnswerFuture]], outcome: IntakeResult) -> None:
    for request in requests:
        if not request.answer_to.done():
            request.answer_to.set_result(outcome)
