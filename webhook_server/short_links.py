"""Handles GET /l/<code>: leads on to the address that stands in our message, and counts the click afterwards.

Whoever tapped is led on at once; a busy database never keeps them waiting. What waits to be counted is
counted before the server ends.
"""

from __future__ import annotations

import threading
from collections import deque
from html import escape

import structlog
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from core.clicks.codes import read_code
from core.clicks.queries import find_target
from core.clicks.recording import Click, record
from core.clicks.rules import is_automatic
from core.clock import utc_now
from core.errors import N_
from core.settings import settings
from core.text.catalogues import SOURCE, say_in

PATHS = ("/l/{code}", "/l/{code}/{host}")  # the host is for whoever reads the link, and decides nothing
HEADERS = {
    "Cache-Control": "no-store",  # else a second person behind the same proxy is never seen
    "Referrer-Policy": "no-referrer-when-downgrade",
    "X-Robots-Tag": "noindex, nofollow",
    "X-Content-Type-Options": "nosniff",
}
AT_ONCE = 500  # clicks in one transaction
WAITING_LIMIT = 50_000  # beyond that the oldest are dropped
PATIENCE_SECONDS = 2.0  # before the next attempt, when the database refused

log = structlog.get_logger(__name__)


class ShortLinks:
    """Leads people on, and keeps the clicks that are still to be recorded. Opened and closed with the
    server."""

    def __init__(self) -> None:
        self._waiting: deque[Click] = deque(maxlen=WAITING_LIMIT)
        self._wake = threading.Event()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="clicks", daemon=True)

    def open(self) -> None:
        """Start the thread that records clicks."""
        self._thread.start()

    def close(self) -> None:
        """Record what is waiting, once more."""
        self._closing.set()
        self._wake.set()
        self._thread.join(PATIENCE_SECONDS * 2)

    async def follow(self, request: Request) -> Response:
        """Lead to the address behind a code."""
        link = read_code(request.path_params["code"])
        if link is None:
            return _ended(request)
        try:
            target = await run_in_threadpool(find_target, link)
        except DBAPIError:
            return _page(request, 503, _LATER)
        if target is None:
            return _ended(request)
        if not is_automatic(request.method, request.headers):
            self._waiting.append(Click(link, utc_now()))
            self._wake.set()
        return RedirectResponse(target, 302, HEADERS)

    def _run(self) -> None:
        while not self._closing.is_set():
            self._wake.wait()
            self._wake.clear()
            while self._waiting and not self._closing.is_set():
                if not self._record_some():
                    self._closing.wait(PATIENCE_SECONDS)
        while self._waiting and self._record_some():
            pass

    def _record_some(self) -> bool:
        """Record the oldest clicks; False when the database refused, and they wait."""
        taken = [self._waiting.popleft() for _ in range(min(AT_ONCE, len(self._waiting)))]
        try:
            if taken:
                record(taken)
        except SQLAlchemyError as problem:
            log.warning("clicks_not_recorded", count=len(taken), error=type(problem).__name__)
            self._waiting.extendleft(reversed(taken))
            return False
        return True


_ENDED = (N_("This link no longer works."), N_("Write to the Facebook page that sent it to you."))
_LATER = (N_("This link can't be opened right now."), N_("Please try again in a few minutes."))


def _ended(request: Request) -> Response:
    return _page(request, 404, _ENDED)


def _page(request: Request, status: int, words: tuple[str, str]) -> Response:
    """A page for customers: in the language of the installation and in English, theirs first."""
    ours = settings().language
    first = SOURCE if request.headers.get("accept-language", "").lower().startswith(SOURCE) else ours
    spoken = dict.fromkeys([first, ours, SOURCE])  # each once
    said = "".join(_paragraph(each, words) for each in spoken)
    headers = {**HEADERS, **({"Retry-After": "60"} if status == 503 else {})}
    page = _FRAME.replace("LANGUAGE", first.replace("_", "-")).replace("SAID", said)
    return HTMLResponse(page, status, headers)


def _paragraph(code: str, words: tuple[str, str]) -> str:
    say = say_in(code)
    happened, then = (escape(say(each)) for each in words)
    return f'<p lang="{code.replace("_", "-")}"><b>{happened}</b><br>{then}</p>'


_FRAME = (
    '<!doctype html><html lang="LANGUAGE"><meta charset="utf-8">'
    '<meta name="viewport" content="width=device-width,initial-scale=1">'
    '<meta name="color-scheme" content="light dark"><title>Notify Once</title>'
    '<body style="font:18px/1.5 system-ui,sans-serif;max-width:32em;margin:15vh auto;padding:0 1.5em">'
    "SAID</body></html>"
)
