"""Checks what is the same for all fanpages: the public address, the clock, the addresses that Meta asks for.

HTTP calls are made outside transactions, and none of them carries a secret in its address.
"""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

import requests
from sqlalchemy import select, update
from sqlmodel import col

from core.db import bulk, database_clock
from core.db.engine import reading, transaction
from core.db.tables import InstallationCheck
from core.fanpages.set_up_findings import Finding
from core.fanpages.set_up_rules import Check
from core.messenger.signature import HEADER, sign
from core.settings import settings
from core.text.ip_addresses import is_public_ip

CLOCK_TOLERANCE = timedelta(seconds=30)
SECONDS = 5.0
NOTHING_HAPPENED = json.dumps({"object": "page", "entry": []}).encode()  # an event that says nothing


def check_installation(*, now: datetime) -> None:
    """Check all of it, and store what was found. Of the clocks only the database's is judged, by which all
    workers go: the finding is everybody's, and that of a machine would change with who looked last."""
    with reading() as db:
        entered = {row.name: row.value for row in db.scalars(select(InstallationCheck))}
    found: dict[Check, Finding | None] = {
        Check.WEBHOOK: check_webhook(),
        Check.CLOCK: check_clock(database_clock.clock()),
        Check.PRIVACY: check_address(
            entered.get(Check.PRIVACY, ""), Finding.NO_PRIVACY_ADDRESS, Finding.PRIVACY_UNREACHABLE
        ),
        Check.DELETION: check_address(
            entered.get(Check.DELETION, ""), Finding.NO_DELETION_ADDRESS, Finding.DELETION_UNREACHABLE
        ),
    }
    rows = [{"name": str(name), "value": ""} for name in found]
    with transaction() as db:
        db.execute(bulk.insert_new(InstallationCheck), rows)
        for name, code in found.items():
            checked = update(InstallationCheck).where(col(InstallationCheck.name) == str(name))
            db.execute(checked.values(code=str(code) if code else None, checked_at=now))


def check_webhook() -> Finding | None:
    """Whether the public address leads to a webhook server with our app secret: it has to take an empty event
    that is signed, and refuse one that is not."""
    address, secret = settings().public_url, settings().app_secret.get_secret_value()
    if not address:
        return Finding.NO_PUBLIC_URL
    try:
        signed = _post(address, {HEADER: sign(secret, NOTHING_HAPPENED)} if secret else {})
        unsigned = _post(address, {})
    except requests.RequestException:
        return Finding.WEBHOOK_UNREACHABLE
    return None if (signed, unsigned) == (200, 403) else Finding.WEBHOOK_FOREIGN


def _post(address: str, headers: dict[str, str]) -> int:
    made = {"Content-Type": "application/json", **headers}
    answered = requests.post(
        f"{address}/webhook", NOTHING_HAPPENED, headers=made, timeout=SECONDS, allow_redirects=False
    )
    return answered.status_code


def check_clock(clock: Callable[[], datetime]) -> Finding | None:
    """Whether a clock agrees with that of the Graph API."""
    off = seconds_off(clock)
    if off is None:
        return Finding.CLOCK_UNKNOWN
    return Finding.CLOCK_OFF if abs(off) > CLOCK_TOLERANCE.total_seconds() else None


def seconds_off(clock: Callable[[], datetime]) -> float | None:
    """By how much a clock is ahead of that of the Graph API, as the `Date` header of its answer says; None
    when it does not answer."""
    try:
        answered = requests.head(settings().graph_url, timeout=SECONDS, allow_redirects=False)
        theirs = parsedate_to_datetime(answered.headers["Date"])
        return (clock() - theirs).total_seconds()
    except (requests.RequestException, KeyError, TypeError, ValueError):
        return None


def check_address(address: str, missing: Finding, unreachable: Finding) -> Finding | None:
    """Whether a page that staff have named opens for strangers. Redirects are not followed, and addresses
    inside a network are not asked."""
    if not address:
        return missing
    try:
        if not is_public_host(urlsplit(address).hostname or ""):
            return unreachable
        with requests.get(address, timeout=SECONDS, allow_redirects=False, stream=True) as answered:
            return None if answered.status_code < 400 else unreachable
    except (requests.RequestException, OSError, ValueError):
        return unreachable


def is_public_host(host: str) -> bool:
    """Whether all addresses of a host lie in the public internet."""
    found = {each[4][0] for each in socket.getaddrinfo(host, 443, proto=socket.IPPROTO_TCP)}
    return bool(found) and all(is_public_ip(str(each)) for each in found)
