"""Single sign-on: the way to the OpenID provider, `GET /sso/start`, back from it, `GET /sso/callback`, and to
its sign-out, `GET /sso/end`.

It ends in the same cookie and session as a password does (cookie.py). On the way a second cookie binds the
sign-in to this browser: nobody can be signed in as somebody else by a link. Decision 0065.
"""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import parse_qsl, quote, urlencode

import structlog
from anyio import CapacityLimiter, to_thread
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from core import logs
from core.accounts.rules import ATTEMPT_WINDOW
from core.accounts.session_queries import find_session
from core.accounts.sessions import hash_of
from core.accounts.single_sign_on.attempts import ATTEMPT_LIFETIME, Attempt, seal, unseal
from core.accounts.single_sign_on.rules import SingleSignOnFailed, Trouble
from core.clock import utc_now
from core.settings import settings
from core.text.catalogues import languages
from pages.components.page_registry import BY_PATH
from pages.shell import cookie
from pages.shell.call_limit import CallLimit
from pages.shell.way_back import finish, propose, visitor

log = structlog.get_logger(__name__)
TROUBLE = "sso"  # in the address of the sign-in: why it did not work
LANGUAGE = "lang"  # and in which language that is said
QUERY_LIMIT = 500
ACCOUNT = "account"  # in the address of the page after that: the sealed proposal
LINK = "link"  # in the address of the start: the sealed wish of an operator who has a password
# A provider that does not answer keeps a few threads waiting, not those that serve the panel, and no queue
# of strangers stands before a colleague.
_few = CapacityLimiter(8)
MOST_WAITING = 24
STARTS_BY_ADDRESS = 100
starts = CallLimit(STARTS_BY_ADDRESS, ATTEMPT_WINDOW.total_seconds())
ends = CallLimit(STARTS_BY_ADDRESS, ATTEMPT_WINDOW.total_seconds())


def address(path: str, query: str, language: str) -> str:
    """Where the button leads. It names the panel as its settings do, so that the browser comes back to the
    host from which it left."""
    return f"{_panel()}/sso/start?{urlencode({'path': path, 'query': query, LANGUAGE: language})}"


def link_address(session_id: int, language: str) -> str:
    """Where an operator goes who has proved their password and wants to come by single sign-on from now on.
    It is good for the browser of this session only."""
    wish = Attempt(utc_now().timestamp(), path="account", language=language, links=session_id)
    return f"{_panel()}/sso/start?{urlencode({LINK: seal(wish)})}"


def _panel() -> str:
    base = cookie.base_path()
    return settings().panel_url.strip().rstrip("/").removesuffix(base) + quote(base)


def _redirect_uri() -> str:
    return f"{_panel()}/sso/callback"


async def _start(request: Request) -> Response:
    if not _is_here(request, "start"):
        return Response(status_code=404)
    attempt = _attempt(request)
    try:
        _count(request, starts)
        there = await _of_few(lambda: _there(request, attempt))
    except SingleSignOnFailed as failed:
        return _back(request, attempt, failed)
    response = RedirectResponse(there, status_code=303)
    response.set_cookie(
        _cookie_name(request),
        seal(attempt),
        max_age=int(ATTEMPT_LIFETIME.total_seconds()),
        path="/",
        httponly=True,
        samesite="lax",  # the browser comes back from another site
        secure=cookie.is_https(request),
    )
    return response


async def _end(request: Request) -> Response:
    if not _is_here(request, "end"):
        return Response(status_code=404)
    try:
        _count(request, ends)
        there = await _of_few(_sign_out_there)
    except SingleSignOnFailed as failed:
        there = ""  # the session here has ended, which is what counts
        log.warning("single_sign_out_failed", trouble=failed.trouble.value, why=failed.why)
    return RedirectResponse(there or _page(None), status_code=303)


def _count(request: Request, limit: CallLimit) -> None:
    """Count a call of a stranger. Raises SingleSignOnFailed when there were too many from this address."""
    if not limit.takes(visitor(request), utc_now().timestamp()):
        raise SingleSignOnFailed(Trouble.TOO_MANY)


def _sign_out_there() -> str:
    from core.accounts.single_sign_on import provider

    return provider.sign_out_address()


async def _of_few(work: Callable[[], str]) -> str:
    """What the work returns. Raises SingleSignOnFailed, also when too many wait, and for what nobody foresaw,
    such as a database that does not answer."""
    logs.begin_request()
    if _few.statistics().tasks_waiting >= MOST_WAITING:
        raise SingleSignOnFailed(Trouble.BUSY)
    try:
        return await to_thread.run_sync(work, limiter=_few)
    except SingleSignOnFailed:
        raise
    except Exception as unexpected:
        log.error("single_sign_on_broken", exc_info=unexpected)
        raise SingleSignOnFailed(Trouble.PANEL) from None


def _there(request: Request, attempt: Attempt) -> str:
    from core.accounts.single_sign_on import provider  # panels without single sign-on do without its library

    if LINK in request.query_params:
        key = request.cookies.get(cookie.name_for(request), "")
        here = find_session(hash_of(key), utc_now())
        if here is None or here.id != attempt.links:
            raise SingleSignOnFailed(Trouble.STALE, "no such link was begun in this browser")
    return provider.sign_in_address(attempt, _redirect_uri())


def _attempt(request: Request) -> Attempt:
    """A sign-in that leads to one of our pages, whatever the address says."""
    asked = request.query_params
    if LINK in asked:
        return unseal(asked[LINK], utc_now()) or Attempt(utc_now().timestamp(), path="account")
    path, query = asked.get("path", ""), asked.get("query", "")
    return Attempt(
        began_at=utc_now().timestamp(),
        path=path if path in BY_PATH else "",
        query=urlencode(parse_qsl(query)) if path in BY_PATH and len(query) <= QUERY_LIMIT else "",
        language=asked.get(LANGUAGE, "") if asked.get(LANGUAGE) in languages() else "",
    )


async def _callback(request: Request) -> Response:
    if not _is_here(request, "callback"):
        return Response(status_code=404)
    attempt = unseal(request.cookies.get(_cookie_name(request), ""), utc_now())
    is_link = attempt is not None and attempt.links is not None
    try:
        made = await _of_few(lambda: (propose if is_link else finish)(request, attempt, _redirect_uri()))
    except SingleSignOnFailed as failed:
        return _back(request, attempt, failed)
    page = _page(attempt, **{ACCOUNT: made}) if is_link else _page(attempt)
    response = RedirectResponse(page, status_code=303)
    _drop_attempt(request, response)
    if not is_link:
        cookie.give(request, response, made)
    return response


def _back(request: Request, attempt: Attempt | None, failed: SingleSignOnFailed) -> Response:
    """To the sign-in, which says why it did not work."""
    log.warning("single_sign_on_failed", trouble=failed.trouble.value, why=failed.why)
    more = {TROUBLE: failed.trouble.value, LANGUAGE: attempt.language if attempt else ""}
    response = RedirectResponse(_page(attempt, **more), status_code=303)
    _drop_attempt(request, response)
    return response


def _page(attempt: Attempt | None, **more: str) -> str:
    path, query = (attempt.path, attempt.query) if attempt else ("", "")
    query = "&".join(filter(None, (query, urlencode(more))))
    return f"{quote(cookie.base_path())}/{path}" + (f"?{query}" if query else "")


def _drop_attempt(request: Request, response: Response) -> None:
    response.delete_cookie(
        _cookie_name(request), path="/", httponly=True, samesite="lax", secure=cookie.is_https(request)
    )


def _cookie_name(request: Request) -> str:
    return f"{cookie.name_for(request)}_sso"


def _is_here(request: Request, name: str) -> bool:
    return settings().has_single_sign_on and request.url.path == f"{cookie.base_path()}/sso/{name}"


ROUTES = [
    Route(f"{base}/sso/{name}", endpoint, methods=["GET"])
    for base in ("", "/{base:path}")
    for name, endpoint in (("start", _start), ("callback", _callback), ("end", _end))
]
