"""What becomes of somebody whom the OpenID provider has sent back: a session begins, or an operator is asked
whether this is their company account."""

from __future__ import annotations

from datetime import datetime
from secrets import compare_digest
from typing import Any

from starlette.requests import Request

from core.accounts import sessions
from core.accounts.session_queries import find_session_by_id
from core.accounts.single_sign_on.attempts import Attempt, Proposal, seal
from core.accounts.single_sign_on.linking import find_other
from core.accounts.single_sign_on.rules import (
    Identity,
    SingleSignOnFailed,
    Trouble,
    error_code,
    identity_of,
    shown_as,
)
from core.accounts.single_sign_on.sign_in import begin_single_sign_on, complete_single_sign_on
from core.clock import utc_now
from core.settings import settings
from core.text.ip_addresses import find_address
from pages.shell.browser import described


def finish(request: Request, attempt: Attempt | None, redirect_uri: str) -> str:
    """The key of the session that begins. Raises SingleSignOnFailed."""
    now = utc_now()
    who = _identity(_claims(request, attempt, redirect_uri, now))
    told = described(request.headers.get("user-agent", ""))
    language = (attempt.language if attempt else "") or None
    ticket = complete_single_sign_on(who, visitor(request), browser=told, language=language, now=now)
    key = sessions.trade_ticket(ticket, now=now)
    if key is None:
        raise SingleSignOnFailed(Trouble.STALE, "the session ended at once")
    return key


def propose(request: Request, attempt: Attempt | None, redirect_uri: str) -> str:
    """The account of an operator who wants to change over, sealed, for them to look at before anything is
    done. Raises SingleSignOnFailed."""
    now = utc_now()
    claims = _claims(request, attempt, redirect_uri, now)
    who = _identity(claims)
    here = find_session_by_id(attempt.links, now) if attempt and attempt.links else None
    if here is None:
        raise SingleSignOnFailed(Trouble.STALE, "the operator's session has ended")
    find_other(here.operator.id, who)
    role, shown = str(who.role), shown_as(claims)
    return seal(Proposal(now.timestamp(), here.id, who.issuer, who.subject, who.name, role, shown))


def visitor(request: Request) -> str:
    """From where the browser comes; empty for this machine, as in browser.py."""
    seen = request.client.host if request.client else ""
    found = find_address(seen)
    return "" if found is not None and found.is_loopback else seen


def _identity(claims: dict[str, Any]) -> Identity:
    return identity_of(claims, settings().sso_roles_claim, settings().sso_values)


def _claims(request: Request, attempt: Attempt | None, redirect_uri: str, now: datetime) -> dict[str, Any]:
    """What the provider says of whoever comes back from it. Raises SingleSignOnFailed."""
    from core.accounts.single_sign_on import provider  # panels without single sign-on do without its library

    said = request.query_params
    if attempt is None or not compare_digest(said.get("state", "").encode(), attempt.state.encode()):
        raise SingleSignOnFailed(Trouble.STALE, "no such sign-in was begun in this browser")
    if "error" in said:
        trouble = Trouble.DENIED if said["error"] == "access_denied" else Trouble.REFUSED
        raise SingleSignOnFailed(trouble, f"the provider said {error_code(said['error'])}")
    begin_single_sign_on(visitor(request), now=now)
    return provider.claims_of(attempt, said.get("code", ""), redirect_uri, now=now.timestamp())
