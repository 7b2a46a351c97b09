"""Builds the webhook server: its routes, and what is opened and closed with it."""

from __future__ import annotations

import hmac
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog
from prometheus_client import CONTENT_TYPE_LATEST
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from core.db import holding, migrations
from core.errors import OperatorError, WrongState
from core.inbox import queries
from core.installation import key_check
from core.installation.key_check import AnotherKey
from core.settings import kept_secret, settings
from webhook_server import logs, pictures
from webhook_server.request_ids import with_request_id
from webhook_server.responses import json_response, refusal_response
from webhook_server.short_links import PATHS as LINK_PATHS
from webhook_server.short_links import ShortLinks
from webhook_server.webhook_endpoint import WebhookEndpoint

DEMO_SECRET_FILE = "demo-app.secret"  # the app secret by which the simulator signs
CHALLENGE_LIMIT = 1000
PASSED_ON = ("x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "forwarded", "x-real-ip", "via")
WEBHOOK = ("/webhook", "/webhook/")  # both are served: a redirect would repeat the verify token

log = structlog.get_logger(__name__)


class WebhookFront:
    """The whole ASGI application: passes a POST to /webhook straight to the endpoint, which is faster than
    by the router, and everything else to the routes."""

    def __init__(self, endpoint: WebhookEndpoint, others: Starlette) -> None:
        self._endpoint = endpoint
        self._others = others

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            send = with_request_id(scope, send)
        is_webhook = scope["type"] == "http" and scope["path"] in WEBHOOK and scope["method"] == "POST"
        await (self._endpoint if is_webhook else self._others)(scope, receive, send)


def create_app() -> WebhookFront:
    """Build the application from the settings of this process."""
    logs.configure()
    endpoint = WebhookEndpoint(settings().app_secret.get_secret_value(), kept_secret(DEMO_SECRET_FILE))

    short_links = ShortLinks()

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        logs.silence_access_log()
        await run_in_threadpool(_refuse_unfit)
        endpoint.open()
        short_links.open()
        yield
        await run_in_threadpool(short_links.close)
        await endpoint.close()

    async def ready(_request: Request) -> Response:
        return await run_in_threadpool(_ready, endpoint)

    async def alive(_request: Request) -> Response:
        return json_response(200 if endpoint.is_open else 503, {"alive": endpoint.is_open})

    def metrics(request: Request) -> Response:
        if not _may_read_metrics(request):
            return PlainTextResponse("Not Found", status_code=404)
        return Response(endpoint.metrics.page(), headers={"Content-Type": CONTENT_TYPE_LATEST})

    routes = [
        *(Route(path, verify, methods=["GET"]) for path in WEBHOOK),
        *(Route(path, short_links.follow, methods=["GET"]) for path in LINK_PATHS),
        Route(pictures.ROUTE, pictures.show_picture, methods=["GET"]),
        Route("/healthz", alive),
        Route("/readyz", ready),
        Route("/metrics", metrics),
    ]
    others = Starlette(routes=routes, lifespan=lifespan)
    others.router.redirect_slashes = False
    return WebhookFront(endpoint, others)


def _may_read_metrics(request: Request) -> bool:
    """Whether the figures are for whoever asks. What a proxy passes on comes from outside."""
    is_direct = not any(name in request.headers for name in PASSED_ON)
    return is_direct and request.client is not None and settings().may_read_metrics(request.client.host)


async def verify(request: Request) -> Response:
    """Answer the handshake by which Meta verifies a webhook: whoever knows the verify token gets the
    challenge back."""
    asked = request.query_params
    expected = settings().verify_token.get_secret_value()
    given = asked.get("hub.verify_token", "")
    is_known = bool(expected) and hmac.compare_digest(given.encode(), expected.encode())
    if asked.get("hub.mode") != "subscribe" or not is_known:
        log.warning("webhook_verification_refused")
        return refusal_response("bad_verify_token")
    challenge = asked.get("hub.challenge", "")[:CHALLENGE_LIMIT]
    return PlainTextResponse(challenge, headers={"X-Content-Type-Options": "nosniff"})


def _refuse_unfit() -> None:
    """End the start when this process has another secret key than the installation, or the database another
    revision. While the database is gone nothing is stored, and storing checks the key again."""
    try:
        migrations.refuse_unless_current()
        key_check.refuse_another_key()
    except OperatorError as refused:
        log.critical("start_refused", said=refused.message)
        raise
    except SQLAlchemyError as problem:
        log.warning("key_check_failed", error=type(problem).__name__)


def _ready(endpoint: WebhookEndpoint) -> Response:
    """Whether a POST would be stored now: the database answers and takes in, and the intake runs."""
    try:
        queries.refuse_unreadable()
        migrations.refuse_unless_current()
        held = holding.current_hold()
        key_check.refuse_another_key()
    except DBAPIError:
        return json_response(503, {"ready": False, "problem": "database"})
    except AnotherKey:
        return json_response(503, {"ready": False, "problem": "key"})
    except WrongState:
        return json_response(503, {"ready": False, "problem": "revision"})
    if held and held.takes_in_nothing:
        return json_response(503, {"ready": False, "problem": "moved"})
    if endpoint.was_refused_lately:
        return json_response(503, {"ready": False, "problem": "database"})
    if not endpoint.is_open:
        return json_response(503, {"ready": False, "problem": "writer"})
    return json_response(200, {"ready": True})
