"""Finds problems that would keep messages from being sent; each is a sentence that says what to do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from email.utils import parsedate_to_datetime

import requests
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import col

from core.accounts.single_sign_on.rules import SingleSignOnFailed, Trouble
from core.backups import queries as backups
from core.clock import utc_now
from core.db import holding, migrations
from core.db.engine import reading
from core.db.full_disk import is_full
from core.db.tables import Fanpage, Heartbeat
from core.encryption import decrypt
from core.errors import OperatorError
from core.fanpages import health_actions, queries
from core.fanpages.rules import OTHER_APP, describe_policy, describe_problem
from core.installation import disk_room, key_check
from core.installation.heartbeat import WORKER, is_of_kind, mixed_calls_are_refused
from core.installation.key_check import AnotherKey
from core.messenger.mixed_call_switch import MIXED_CALLS_REFUSED
from core.messenger.reasons import describe
from core.operations.server_check import problems_of_server
from core.pictures.attachments import count_lost
from core.pictures.files import folder
from core.settings import settings

CLOCK_TOLERANCE = timedelta(seconds=30)
SILENT = timedelta(seconds=15)


def find_problems() -> list[str]:
    """All problems of this installation."""
    found = list(_database())
    only_demo = False
    if not found:
        known = queries.list_fanpages()
        only_demo = bool(known) and all(fanpage.is_demo for fanpage in known)
        for check in (_hold, _key, _worker, _mixed_calls, _fanpages, _pictures):
            found += [said for said in _guarded(check) if said not in found]
        found += [said.format(**values) for said, values in backups.problems(now=utc_now())]
    found += [said.format(**values) for said, values in disk_room.problems()]
    if not only_demo:  # the demo needs neither an app nor Facebook
        found += [*_settings(), *_clock()]
    found += [*_single_sign_on(), *_webhook_server()]
    return found


def find_warnings() -> list[str]:
    """What is allowed, keeps no message back, and may not be what was meant."""
    if settings().has_single_sign_on and settings().require_second_factor != "nobody":
        return [
            "OTN_REQUIRE_SECOND_FACTOR holds for those with a password only: whoever comes by single sign-on "
            f"is asked for no second factor here. Require it at the provider ({settings().sso_issuer})."
        ]
    return []


def _guarded(check: Callable[[], Iterator[str]]) -> list[str]:
    try:
        return list(check())
    except OperatorError as refused:
        return [refused.message]


def _settings() -> Iterator[str]:
    for name in ("app_secret", "verify_token"):
        if not getattr(settings(), name).get_secret_value():
            yield f"OTN_{name.upper()} is not set: no real fanpage's webhooks are accepted. Put it in .env."


def _database() -> Iterator[str]:
    try:
        current = migrations.current_revision()
    except OperatorError as refused:  # its driver is missing
        yield refused.message
        return
    except SQLAlchemyError as problem:
        if is_full(problem):
            yield "The database's disk is full: nothing is stored and nothing is sent. Make room."
            return
        yield f"The database does not answer ({type(problem).__name__}); check OTN_DATABASE_URL."
        return
    head = migrations.head_revision()
    try:
        migrations.refuse_newer(current)
    except OperatorError as refused:
        yield refused.message
        return
    if current != head:
        yield f"The database is at revision {current}, not {head}; run: python -m core migrate"
    yield from problems_of_server()


def _key() -> Iterator[str]:
    if key_check.is_another_key():
        yield AnotherKey().message
        return
    with reading() as db:
        sealed = db.execute(
            select(col(Fanpage.token_sealed)).where(col(Fanpage.token_sealed).is_not(None)).limit(1)
        ).scalar_one_or_none()
    if sealed:
        decrypt(sealed)  # says so itself when the key is another one


def _hold() -> Iterator[str]:
    if found := holding.current_hold():
        yield found.message


def _worker() -> Iterator[str]:
    with reading() as db:
        alive = db.execute(
            select(col(Heartbeat.process))
            .where(is_of_kind(WORKER), col(Heartbeat.at) > utc_now() - SILENT)
            .limit(1)
        ).first()
    if alive is None:
        yield "No worker is running, so nothing is sent; start one: python -m core worker"


def _mixed_calls() -> Iterator[str]:
    if mixed_calls_are_refused(since=utc_now() - SILENT):
        yield MIXED_CALLS_REFUSED


def _fanpages() -> Iterator[str]:
    known = queries.list_fanpages()
    if not known:
        yield "No fanpage is connected yet; run: python -m core fanpage connect"
    for fanpage in known:
        if fanpage.stopped_code:
            yield (
                f"{fanpage.name} ({fanpage.page_id}) is stopped: {describe(fanpage.stopped_code)} "
                f"Then run: python -m core fanpage resume {fanpage.page_id}"
            )
        if fanpage.otn_off_at:
            yield (
                f"{fanpage.name} ({fanpage.page_id}): one-time notifications are switched off, so no "
                f"broadcast goes out. To switch them on: python -m core fanpage otn-on {fanpage.page_id}"
            )
        if fanpage.policy and not fanpage.policy.is_seen:
            said = f" ({fanpage.policy.reason})" if fanpage.policy.reason else ""
            yield f"{fanpage.name} ({fanpage.page_id}): {describe_policy(fanpage.policy.action)}{said}"
        if other := queries.find_other_app(fanpage.id, now=utc_now()):
            yield f"{fanpage.name} ({fanpage.page_id}): {OTHER_APP.format(customers=other.customers)}"
        for code in health_actions.check_health(fanpage.id, now=utc_now()):
            yield f"{fanpage.name} ({fanpage.page_id}): {describe_problem(code)}"


def _pictures() -> Iterator[str]:
    if lost := count_lost():
        yield (
            f"The files of {lost} uploaded images are not in {folder()}: Messenger cannot fetch them. Put "
            "them back, from the folder otn-pictures beside a backup; several machines share one such folder."
        )


def _clock() -> Iterator[str]:
    """Compare our clock with the `Date` header of the Graph API."""
    try:
        answered = requests.head(settings().graph_url, timeout=5, allow_redirects=False)
        theirs = parsedate_to_datetime(answered.headers["Date"])
    except OSError as problem:  # requests' own errors, and a file of certificates that is not there
        if not isinstance(problem, requests.RequestException):
            yield f"The certificates that the environment names (REQUESTS_CA_BUNDLE) are not there: {problem}"
            return
        yield f"{settings().graph_url} cannot be reached; check the network and OTN_GRAPH_URL."
        return
    except (KeyError, TypeError, ValueError):
        return  # it answers, but tells no time
    if abs(utc_now() - theirs) > CLOCK_TOLERANCE:
        yield "This machine's clock is off by more than 30 seconds; turn on time synchronisation."


def _single_sign_on() -> Iterator[str]:
    if not settings().has_single_sign_on:
        return
    from core.accounts.single_sign_on import provider  # others do without its library

    try:
        provider.metadata()
    except SingleSignOnFailed as failed:
        what = "does not answer" if failed.trouble == Trouble.UNREACHABLE else "cannot be used"
        yield (
            f"The OpenID provider {settings().sso_issuer} {what} ({failed.why}), so nobody gets in by single "
            "sign-on; check OTN_SSO_ISSUER and the network."
        )


def _webhook_server() -> Iterator[str]:
    host = settings().webhook_host
    here = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)
    url = f"http://{here}:{settings().webhook_port}/readyz"
    try:
        with requests.Session() as session:
            session.trust_env = False  # a proxy of the environment does not lead to this machine
            ready = session.get(url, timeout=5).status_code == 200
    except requests.RequestException:
        ready = False
    if not ready:
        yield f"The webhook server does not answer at {url}; start it, or opt-ins are lost after an hour."
