"""What the set-up of a fanpage consists of, and how each part stands: red, amber, green, or not known (pure).

Red is known to fail and blocks launching (`rules.RED`). Amber is to be looked at: a person mends or accepts
it. Green is only what was checked, with when, and while that is recent.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from core.fanpages.rules import RED, HealthProblem
from core.fanpages.set_up_findings import Finding

FRESH_FOR = timedelta(minutes=45)  # of a check; the worker checks every quarter of an hour


class Light(StrEnum):
    RED = "red"
    AMBER = "amber"
    GREEN = "green"
    GRAY = "gray"  # not done or not checked yet, or too long ago


class Step(StrEnum):
    """The parts of the set-up, in the order in which they are done."""

    APP = "app"
    WEBHOOK = "webhook"
    TOKEN = "token"
    PERMISSIONS = "permissions"
    EVENTS = "events"
    OTN = "otn"
    ADDRESSES = "addresses"
    LIVE = "live"
    TRY = "try"
    CLOCK = "clock"
    PROCESSES = "processes"
    OTHER_APP = "other_app"


class Check(StrEnum):
    """What is checked once for the whole installation."""

    WEBHOOK = "webhook"
    CLOCK = "clock"
    PRIVACY = "privacy"
    DELETION = "deletion"


T = HealthProblem
_STEP_OF: dict[str, Step] = {
    T.NO_TOKEN: Step.TOKEN,
    T.TOKEN_SEALED: Step.TOKEN,
    T.TOKEN_INVALID: Step.TOKEN,
    T.WRONG_PAGE: Step.TOKEN,
    T.UNREACHABLE: Step.TOKEN,
    T.TOKEN_ENDS_SOON: Step.TOKEN,
    T.REFUSED: Step.PERMISSIONS,
    T.NO_MESSAGING: Step.PERMISSIONS,
    T.NO_METADATA: Step.PERMISSIONS,
    T.NO_APP_SECRET: Step.APP,
    T.WRONG_APP_SECRET: Step.APP,
    T.NOT_SUBSCRIBED: Step.EVENTS,
    T.NO_COMMENTS: Step.EVENTS,
    T.NO_GET_STARTED: Step.EVENTS,
    T.OTN_REJECTED: Step.OTN,
    T.OTN_PENDING: Step.OTN,
    T.NO_WEBHOOK_YET: Step.TRY,
}
# What stands in the way of every later call, so that those parts are not known.
_HIDES_THE_REST = frozenset(
    {T.NO_TOKEN, T.TOKEN_SEALED, T.TOKEN_INVALID, T.WRONG_PAGE, T.UNREACHABLE, T.WRONG_APP_SECRET, T.REFUSED}
)
OF_REAL_FANPAGES = frozenset({Step.APP, Step.WEBHOOK, Step.OTN, Step.ADDRESSES, Step.LIVE, Step.CLOCK})
OF_INSTALLATION = frozenset({Step.APP, Step.WEBHOOK, Step.ADDRESSES, Step.LIVE, Step.CLOCK, Step.PROCESSES})
CONFIRMED_BY_HAND = frozenset({Finding.OTN_UNCONFIRMED, Finding.LIVE_UNCONFIRMED})
_UNCHECKED_UNTIL_TICKED: dict[Step, Finding] = {
    Step.OTN: Finding.OTN_UNCONFIRMED,
    Step.LIVE: Finding.LIVE_UNCONFIRMED,
}


@dataclass(frozen=True)
class Checked:
    """The latest check of something of the installation."""

    code: str | None = None  # what is wrong; None: nothing
    at: datetime | None = None
    value: str = ""  # the address that was entered


@dataclass(frozen=True)
class Confirmation:
    """Who said that it was done, or accepted that it is not right; and when."""

    by: str
    at: datetime


@dataclass(frozen=True)
class Facts:
    """What is known of the set-up of a fanpage; without one (`page_id` empty), of the installation."""

    page_id: str = ""
    is_demo: bool = False
    problems: Sequence[str] = ()  # of the latest health check
    checked_at: datetime | None = None
    has_app_secret: bool = False
    has_verify_token: bool = False
    heard_at: datetime | None = None  # when the latest signed event arrived
    tapped_at: datetime | None = None  # when a customer last tapped on a request
    another_app: bool = False
    runs_worker: bool = False
    runs_webhook: bool = False
    checks: Mapping[str, Checked] = field(default_factory=dict)
    confirmations: Mapping[str, Confirmation] = field(default_factory=dict)  # by code


@dataclass(frozen=True)
class StepStatus:
    """How a part of the set-up stands."""

    step: Step
    light: Light
    codes: tuple[str, ...] = ()  # what is wrong; see `set_up_findings.describe`
    at: datetime | None = None  # when that was seen
    confirmations: Mapping[str, Confirmation] = field(
        default_factory=dict
    )  # of its codes, those that somebody accepted

    @property
    def is_settled(self) -> bool:
        """Whether nothing is left to do: green, or amber that somebody accepted."""
        return self.light == Light.GREEN or (
            self.light == Light.AMBER and all(code in self.confirmations for code in self.codes)
        )


def assess(facts: Facts, now: datetime) -> list[StepStatus]:
    """How each part stands, in the order of the steps. The demo has no app at Facebook."""
    steps = [step for step in Step if not (facts.is_demo and step in OF_REAL_FANPAGES)]
    return [_status(step, facts, now) for step in steps]


def light_of(statuses: Sequence[StepStatus]) -> Light:
    """The light of the whole: the worst that is not settled."""
    open_ones = {status.light for status in statuses if not status.is_settled}
    return next((light for light in (Light.RED, Light.AMBER, Light.GRAY) if light in open_ones), Light.GREEN)


def is_fresh(at: datetime | None, now: datetime) -> bool:
    """Whether a check is so recent that it may be believed."""
    return at is not None and now - at < FRESH_FOR


def _status(step: Step, facts: Facts, now: datetime) -> StepStatus:
    codes, at = _found(step, facts)
    mine = [code for code in facts.problems if _STEP_OF.get(code, Step.PERMISSIONS) == step]
    codes = tuple(dict.fromkeys([*mine, *codes]))
    if codes:
        light = Light.RED if any(code in RED for code in codes) else Light.AMBER
        confirmations = {code: facts.confirmations[code] for code in codes if code in facts.confirmations}
        return StepStatus(step, light, codes, at if not mine else facts.checked_at, confirmations)
    return StepStatus(step, Light.GREEN if _is_proved(step, facts, at, now) else Light.GRAY, (), at)


def _is_proved(step: Step, facts: Facts, at: datetime | None, now: datetime) -> bool:
    if step in (Step.PROCESSES, Step.OTHER_APP):
        return step == Step.PROCESSES or bool(facts.page_id)
    if step in (Step.APP, Step.OTN, Step.TRY):  # proved by an event, which stays true
        return at is not None
    return is_fresh(at, now)


def _found(step: Step, facts: Facts) -> tuple[tuple[str, ...], datetime | None]:
    """What is wrong with a part besides the findings of the health check, and when it was seen."""
    match step:
        case Step.APP:
            return _of_app(facts), facts.heard_at
        case Step.WEBHOOK | Step.CLOCK:
            return _of_checks(facts, Check(step.value))
        case Step.ADDRESSES:
            return _of_checks(facts, Check.PRIVACY, Check.DELETION)
        case Step.TOKEN | Step.PERMISSIONS | Step.EVENTS:
            hidden = step != Step.TOKEN and any(code in _HIDES_THE_REST for code in facts.problems)
            return (), None if hidden else facts.checked_at
        case Step.OTN | Step.LIVE:
            proof = facts.tapped_at if step == Step.OTN else None
            is_open = proof is None and (facts.page_id or step == Step.LIVE)
            return ((_UNCHECKED_UNTIL_TICKED[step],) if is_open else ()), proof
        case Step.TRY:
            return (), facts.heard_at
        case Step.PROCESSES:
            missing = (
                (facts.runs_worker, Finding.NO_WORKER),
                (facts.runs_webhook, Finding.NO_WEBHOOK_SERVER),
            )
            return tuple(code for runs, code in missing if not runs), None
        case Step.OTHER_APP:
            return ((Finding.OTHER_APP,) if facts.another_app else ()), None


def _of_app(facts: Facts) -> tuple[str, ...]:
    if not facts.has_app_secret:
        return (T.NO_APP_SECRET,)
    found = () if facts.has_verify_token else (Finding.NO_VERIFY_TOKEN,)
    return found if facts.heard_at else (*found, Finding.SECRET_UNPROVED)


def _of_checks(facts: Facts, *checks: Check) -> tuple[tuple[str, ...], datetime | None]:
    """What is wrong with these, and since when all of them are known."""
    found = [facts.checks.get(check, Checked()) for check in checks]
    times = [each.at for each in found if each.at is not None]
    return tuple(each.code for each in found if each.code), min(times) if len(times) == len(found) else None
