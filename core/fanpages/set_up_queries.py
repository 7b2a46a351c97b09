"""Reads how the set-up stands: of one fanpage part by part, of all of them as a light."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlmodel import Session, col

from core.db.engine import reading
from core.db.tables import Customer, Heartbeat, InstallationCheck, Request, SetUpConfirmation
from core.fanpages.queries import OTHER_APP_LATELY, FanpageView
from core.fanpages.set_up_findings import Finding
from core.fanpages.set_up_rules import Check, Checked, Confirmation, Facts, StepStatus, assess, is_fresh
from core.installation.heartbeat import WEBHOOK, WORKER
from core.settings import settings

ALIVE_WITHIN = timedelta(seconds=30)


def list_addresses() -> Mapping[str, str]:
    """The addresses that staff have entered, by set_up_rules.Check."""
    with reading() as db:
        return {row.name: row.value for row in db.scalars(select(InstallationCheck))}


def read_set_up(fanpage: FanpageView | None, *, heard_at: datetime | None, now: datetime) -> list[StepStatus]:
    """How the set-up of a fanpage stands; without one, that of the installation. `heard_at` is when its
    latest event arrived."""
    scopes = ["", fanpage.page_id] if fanpage else [""]
    with reading() as db:
        confirmations = db.scalars(
            select(SetUpConfirmation).where(col(SetUpConfirmation.scope).in_(scopes))
        ).all()
        checks = {row.name: row for row in db.scalars(select(InstallationCheck))}
        alive = _alive(db, now)
        tapped_at = _tapped_at(db, fanpage.id) if fanpage else None
        another = _another_app(db, fanpage.id, now) if fanpage else False
    facts = Facts(
        page_id=fanpage.page_id if fanpage else "",
        is_demo=bool(fanpage and fanpage.is_demo),
        problems=fanpage.problems if fanpage else (),
        checked_at=fanpage.checked_at if fanpage else None,
        has_app_secret=bool(settings().app_secret.get_secret_value()),
        has_verify_token=bool(settings().verify_token.get_secret_value()),
        heard_at=heard_at,
        tapped_at=tapped_at,
        another_app=another,
        runs_worker=WORKER in alive,
        runs_webhook=WEBHOOK in alive,
        checks={name: Checked(row.code, row.checked_at, row.value) for name, row in checks.items()},
        confirmations={row.code: Confirmation(row.by, row.at) for row in confirmations},
    )
    return assess(facts, now)


@dataclass(frozen=True)
class Conditions:
    """What the badges of all fanpages need besides the fanpages themselves."""

    now: datetime
    alive: frozenset[str]  # the kinds of processes that run
    accepted: frozenset[tuple[str, str]]  # (page id, code) of the problems that somebody accepted

    def of(self, fanpage: FanpageView) -> str:
        """A fanpage's condition, a state of the kind "fanpage" in states.py. "ok" only when it was checked
        lately, nothing was found that nobody has accepted, and the processes run."""
        if fanpage.stopped_code:
            return "stopped"
        if fanpage.otn_off_at is not None:
            return "otn_off"
        known = {code for page_id, code in self.accepted if page_id == fanpage.page_id}
        if not fanpage.has_token or set(fanpage.problems) - known:
            return "problem"
        for kind in (WORKER, WEBHOOK):
            if kind not in self.alive:
                return f"no_{kind}"
        if fanpage.is_demo:
            return "demo"
        return "ok" if is_fresh(fanpage.checked_at, self.now) else "unchecked"


def read_conditions(*, now: datetime) -> Conditions:
    """What `Conditions.of` needs, by two reads for however many fanpages."""
    with reading() as db:
        confirmations = db.execute(select(col(SetUpConfirmation.scope), col(SetUpConfirmation.code)))
        accepted = frozenset((scope, code) for scope, code in confirmations)
        return Conditions(now, frozenset(_alive(db, now)), accepted)


def is_clock_off() -> bool:
    """Whether the last check found that our clock is not the platform's."""
    clock = select(col(InstallationCheck.code)).where(col(InstallationCheck.name) == Check.CLOCK.value)
    with reading() as db:
        return db.scalar(clock) == Finding.CLOCK_OFF


def _alive(db: Session, now: datetime) -> set[str]:
    """The kinds of processes that run."""
    latest = select(col(Heartbeat.process)).where(col(Heartbeat.at) > now - ALIVE_WITHIN)
    return {process.partition(" ")[0] for process in db.scalars(latest)}


def _tapped_at(db: Session, fanpage_id: int) -> datetime | None:
    """When a customer tapped on one of the latest requests that were tapped."""
    tapped = (
        select(col(Request.tapped_at))
        .where(col(Request.fanpage_id) == fanpage_id, col(Request.tapped_at).is_not(None))
        .order_by(col(Request.created_at).desc())
        .limit(1)
    )
    return db.execute(tapped).scalar()


def _another_app(db: Session, fanpage_id: int, now: datetime) -> bool:
    theirs = col(Customer.fanpage_id) == fanpage_id, col(Customer.other_app_at) > now - OTHER_APP_LATELY
    return db.execute(select(col(Customer.id)).where(*theirs).limit(1)).first() is not None
