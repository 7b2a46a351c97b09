"""What the set-up of a fanpage consists of, and how each part stands: red, amber, green, or not known (pure).

Red is known to fail and blocks launching (`rules.RED`). Amber is to be looked at: a person mends or accepts
it. Green is only what was checked, with when, and while that is recent.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from core.errors import N_
from core.fanpages.rules import OTN_UNCONFIRMED, PROBLEMS, RED, HealthProblem, describe_problem

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


class Finding(StrEnum):
    """What can be wrong besides what a health check finds; `FINDINGS` says each in words."""

    NO_VERIFY_TOKEN = "no_verify_token"
    SECRET_UNPROVED = "secret_unproved"
    NO_PUBLIC_URL = "no_public_url"
    WEBHOOK_UNREACHABLE = "webhook_unreachable"
    WEBHOOK_FOREIGN = "webhook_foreign"
    OTN_UNCONFIRMED = OTN_UNCONFIRMED
    NO_PRIVACY_ADDRESS = "no_privacy_address"
    PRIVACY_UNREACHABLE = "privacy_unreachable"
    NO_DELETION_ADDRESS = "no_deletion_address"
    DELETION_UNREACHABLE = "deletion_unreachable"
    LIVE_UNCONFIRMED = "live_unconfirmed"
    CLOCK_OFF = "clock_off"
    CLOCK_UNKNOWN = "clock_unknown"
    NO_WORKER = "no_worker"
    NO_WEBHOOK_SERVER = "no_webhook_server"
    OTHER_APP = "other_app"


F = Finding
FINDINGS: dict[str, str] = {
    F.NO_VERIFY_TOKEN: N_(
        "OTN_VERIFY_TOKEN is not set, so Facebook cannot verify the webhook address. Make up a word, write "
        "it to the file .env and start again."
    ),
    F.SECRET_UNPROVED: N_(
        "The app secret is set; that it is the right one shows as soon as the first signed event arrives "
        "from Facebook."
    ),
    F.NO_PUBLIC_URL: N_(
        "OTN_PUBLIC_URL is not set, so it cannot be checked whether Facebook reaches this server. Write your "
        "public HTTPS address to the file .env and start again."
    ),
    F.WEBHOOK_UNREACHABLE: N_(
        "Nobody answers at the public address. Check that it leads to the webhook server of this machine, "
        "and that its certificate is valid."
    ),
    F.WEBHOOK_FOREIGN: N_(
        "The public address does not lead to this installation's webhook server, or that runs with another "
        "OTN_APP_SECRET: it does not tell a signed event from an unsigned one."
    ),
    F.OTN_UNCONFIRMED: N_(
        "Ask Facebook for one-time notifications in the fanpage's settings, then tick it here. The first tap "
        "of a customer proves it."
    ),
    F.NO_PRIVACY_ADDRESS: N_("Enter the address of your privacy policy; Meta asks for it."),
    F.PRIVACY_UNREACHABLE: N_(
        "The privacy policy does not open at its address; Meta's reviewers see the same."
    ),
    F.NO_DELETION_ADDRESS: N_(
        "Enter the address that says how customers have their data deleted; Meta asks for it."
    ),
    F.DELETION_UNREACHABLE: N_("The page about deleting data does not open at its address."),
    F.LIVE_UNCONFIRMED: N_(
        "While the app is in development mode only people with a role in it can be reached. Switch it to "
        "Live, then tick it here: Facebook does not tell us."
    ),
    F.CLOCK_OFF: N_("This machine's clock is off by more than 30 seconds; turn on time synchronisation."),
    F.CLOCK_UNKNOWN: N_("Facebook could not be reached, so the clock was not compared with theirs."),
    F.NO_WORKER: N_(
        "No worker is running, so nothing is sent. Start one with `make run` or `python -m core worker`."
    ),
    F.NO_WEBHOOK_SERVER: N_(
        "No webhook server is running, so nothing that customers do arrives. Start it with `make run`."
    ),
    F.OTHER_APP: N_(
        "Another app holds conversations with customers of this fanpage. Make this app the default app of "
        "the conversation routing in the fanpage's settings, under Advanced Messaging."
    ),
}
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
CONFIRMED_BY_HAND = frozenset({F.OTN_UNCONFIRMED, F.LIVE_UNCONFIRMED})
_UNCHECKED_UNTIL_TICKED: dict[Step, Finding] = {
    Step.OTN: F.OTN_UNCONFIRMED,
    Step.LIVE: F.LIVE_UNCONFIRMED,
}


@dataclass(frozen=True)
class Checked:
    """The latest check of something of the installation."""

    code: str | None = None  # what is wrong; None: nothing
    at: datetime | None = None
    value: str = ""  # the address that was entered


@dataclass(frozen=True)
class Mark:
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
    marks: Mapping[str, Mark] = field(default_factory=dict)  # by code


@dataclass(frozen=True)
class Standing:
    """How a part of the set-up stands."""

    step: Step
    light: Light
    codes: tuple[str, ...] = ()  # what is wrong; see `describe`
    at: datetime | None = None  # when that was seen
    marks: Mapping[str, Mark] = field(default_factory=dict)  # of its codes, those that somebody accepted

    @property
    def is_settled(self) -> bool:
        """Whether nothing is left to do: green, or amber that somebody accepted."""
        return self.light == Light.GREEN or (
            self.light == Light.AMBER and all(code in self.marks for code in self.codes)
        )


def describe(code: str) -> str:
    """The sentence for a code of any part."""
    return FINDINGS.get(code) or describe_problem(code)


def may_accept(code: str) -> bool:
    """Whether somebody may say that they know and accept it. What is red can only be mended."""
    return code not in RED and (code in PROBLEMS or code in FINDINGS)


def assess(facts: Facts, now: datetime) -> list[Standing]:
    """How each part stands, in the order of the steps. The demo has no app at Facebook."""
    steps = [step for step in Step if not (facts.is_demo and step in OF_REAL_FANPAGES)]
    return [_standing(step, facts, now) for step in steps]


def light_of(standings: Sequence[Standing]) -> Light:
    """The light of the whole: the worst that is not settled."""
    open_ones = {standing.light for standing in standings if not standing.is_settled}
    return next((light for light in (Light.RED, Light.AMBER, Light.GRAY) if light in open_ones), Light.GREEN)


def is_fresh(at: datetime | None, now: datetime) -> bool:
    """Whether a check is so recent that it may be believed."""
    return at is not None and now - at < FRESH_FOR


def _standing(step: Step, facts: Facts, now: datetime) -> Standing:
    codes, at = _found(step, facts)
    mine = [code for code in facts.problems if _STEP_OF.get(code, Step.PERMISSIONS) == step]
    codes = tuple(dict.fromkeys([*mine, *codes]))
    if codes:
        light = Light.RED if any(code in RED for code in codes) else Light.AMBER
        marks = {code: facts.marks[code] for code in codes if code in facts.marks}
        return Standing(step, light, codes, at if not mine else facts.checked_at, marks)
    return Standing(step, Light.GREEN if _is_proved(step, facts, at, now) else Light.GRAY, (), at)


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
            missing = ((facts.runs_worker, F.NO_WORKER), (facts.runs_webhook, F.NO_WEBHOOK_SERVER))
            return tuple(code for runs, code in missing if not runs), None
        case Step.OTHER_APP:
            return ((F.OTHER_APP,) if facts.another_app else ()), None


def _of_app(facts: Facts) -> tuple[str, ...]:
    if not facts.has_app_secret:
        return (T.NO_APP_SECRET,)
    found = () if facts.has_verify_token else (F.NO_VERIFY_TOKEN,)
    return found if facts.heard_at else (*found, F.SECRET_UNPROVED)


def _of_checks(facts: Facts, *checks: Check) -> tuple[tuple[str, ...], datetime | None]:
    """What is wrong with these, and since when all of them are known."""
    found = [facts.checks.get(check, Checked()) for check in checks]
    times = [each.at for each in found if each.at is not None]
    return tuple(each.code for each in found if each.code), min(times) if len(times) == len(found) else None
