"""Rules about a fanpage's connection: its fields, and what a health check can find."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from core.errors import N_, Problem, problem
from core.text.identifiers import is_id
from core.text.utf16_units import length

NAME_LIMIT = 200

# What the fanpage has to tell us.
# https://developers.facebook.com/documentation/business-messaging/messenger-platform/webhooks
WEBHOOK_FIELDS = (
    "messages",
    "messaging_postbacks",
    "messaging_optins",
    "messaging_referrals",
    "message_reactions",
    "message_deliveries",
    "message_reads",
    "message_echoes",
    "messaging_policy_enforcement",
    "messaging_handovers",
    "standby",
)


class HealthProblem(StrEnum):
    """What a health check can find; `PROBLEMS` says each in words."""

    NO_TOKEN = "no_token"
    TOKEN_SEALED = "token_sealed"
    TOKEN_INVALID = "token_invalid"
    WRONG_PAGE = "wrong_page"
    REFUSED = "refused"
    NO_MESSAGING = "no_messaging"
    NO_METADATA = "no_metadata"
    WRONG_APP_SECRET = "wrong_app_secret"
    TOKEN_ENDS_SOON = "token_ends_soon"
    UNREACHABLE = "unreachable"
    NO_APP_SECRET = "no_app_secret"
    NOT_SUBSCRIBED = "not_subscribed"
    NO_COMMENTS = "no_comments"
    NO_GET_STARTED = "no_get_started"
    OTN_REJECTED = "otn_rejected"
    OTN_PENDING = "otn_pending"
    NO_WEBHOOK_YET = "no_webhook_yet"


T = HealthProblem
PROBLEMS: dict[str, str] = {
    T.NO_TOKEN: N_("The fanpage has no access token, so nothing can be sent. Connect it again under Set-up."),
    T.TOKEN_SEALED: N_(
        "The access token was encrypted with a different key, so nothing can be sent. Restore the "
        "previous OTN_SECRET_KEY (or data/secret.key), or connect the fanpage again."
    ),
    T.TOKEN_INVALID: N_(
        "Facebook no longer accepts the access token, so nothing can be sent. Make a new one and connect "
        "the fanpage again."
    ),
    T.WRONG_PAGE: N_(
        "The access token belongs to another fanpage. Connect this fanpage again with its own token."
    ),
    T.REFUSED: N_(
        "Facebook refuses to give information about this fanpage. Check that the app has the "
        "permissions pages_messaging and pages_manage_metadata."
    ),
    T.NO_MESSAGING: N_(
        "The access token lacks the permission pages_messaging, so nothing can be sent. Tick it "
        "when you create the token, and connect the fanpage again."
    ),
    T.NO_METADATA: N_(
        "The access token lacks the permission pages_manage_metadata, so a lost event subscription "
        "can't be restored. Tick it when you create the token, and connect the fanpage again."
    ),
    T.WRONG_APP_SECRET: N_(
        "Facebook rejects the app's signature (code 100), so nothing can be sent: OTN_APP_SECRET "
        "is not the secret of the app that created the access token. Copy it from App settings → "
        "Basic, and restart."
    ),
    T.TOKEN_ENDS_SOON: N_(
        "The access token expires within a week, and then nothing can be sent. Create one that "
        "doesn't expire, and connect the fanpage again."
    ),
    T.UNREACHABLE: N_(
        "Facebook could not be reached. Nothing is lost; we retry automatically. If it continues, "
        "check this machine's internet connection."
    ),
    T.NO_APP_SECRET: N_(
        "OTN_APP_SECRET is not set, so no webhooks are accepted for this fanpage: messages and "
        "opt-ins don't arrive. Set it and restart."
    ),
    T.NOT_SUBSCRIBED: N_(
        "The app doesn't receive all events of the fanpage, so opt-ins may be lost. Give the app "
        "pages_manage_metadata and check again."
    ),
    T.NO_COMMENTS: N_(
        "The app doesn't receive comments on the fanpage's posts, so nobody who comments gets an "
        "answer. Give the app pages_manage_metadata and pages_read_engagement and check again."
    ),
    T.NO_GET_STARTED: N_(
        "The Get Started button could not be set; new customers may not see it. Check that the app has "
        "pages_messaging and check again."
    ),
    T.OTN_REJECTED: N_(
        "Facebook rejected one-time notifications for this fanpage. Request them again under Advanced "
        "Messaging."
    ),
    T.OTN_PENDING: N_("Facebook has not granted one-time notifications to this fanpage yet. Please wait."),
    T.NO_WEBHOOK_YET: N_(
        "No webhook has arrived from this fanpage yet. Write to it from a phone; if nothing arrives, "
        "check the webhook address in the app's settings."
    ),
}
OTHER_APP = N_(
    "Another app controls the conversation with {customers} customers. Their messages are seen "
    "here, but the chatbot can't answer them, and messages to them may be refused. In the "
    "fanpage's settings, under Advanced Messaging, make this app the default app for conversation "
    "routing (primary receiver)."
)
POLICIES: dict[str, str] = {
    "warning": N_(
        "Meta has warned this fanpage. Read the notice in the fanpage's support inbox and fix the "
        "cause; the next step may be a block."
    ),
    "block": N_(
        "Meta has blocked this fanpage from sending messages. Nothing was lost; when the block is "
        "lifted, press “Fixed, resume sending” under Set-up."
    ),
    "unblock": N_(
        "Meta has lifted its block on this fanpage. Sending does not resume automatically: press "
        "“Fixed, resume sending” under Set-up."
    ),
    "integrity": N_(
        "Meta sent a notice about this fanpage's status. Read it in the fanpage's support inbox: "
        "restrictions may follow."
    ),
}


def describe_policy(action: str) -> str:
    """The sentence for what Meta says about a fanpage; an unknown action reads like a warning."""
    return POLICIES.get(action, POLICIES["warning"])


# With any of these, which a check has found, no broadcast is launched: core/broadcasts/launch_checks.py.
RED = frozenset(
    {
        T.NO_TOKEN,
        T.TOKEN_SEALED,
        T.TOKEN_INVALID,
        T.WRONG_PAGE,
        T.REFUSED,
        T.NO_MESSAGING,
        T.WRONG_APP_SECRET,
        T.OTN_REJECTED,
    }
)
BLOCKING = RED - {T.OTN_REJECTED} | {T.UNREACHABLE}  # a stopped fanpage does not go on before they are gone


OTN_IS_OFF = N_(
    "One-time notifications are turned off for this fanpage, so no broadcast goes out. An admin "
    "can turn them back on under Set-up."
)


def why_red(problems: Iterable[str], *, otn_is_off: bool) -> str | None:
    """Why no broadcast of a fanpage is launched, by its latest check; None when nothing is in the way."""
    if otn_is_off:
        return OTN_IS_OFF
    return next((describe_problem(code) for code in problems if code in RED), None)


def describe_problem(code: str) -> str:
    """The sentence for a code of `HealthProblem`."""
    return PROBLEMS.get(code, N_("The health check found a problem it can't describe; tell your admin."))


def check_connection(page_id: str, name: str, token: str, zone: str) -> list[Problem]:
    """What is wrong with the fields of a connection."""
    found = []
    if not is_id(page_id):
        found.append(
            problem("page_id", N_("The page ID is a number, as shown in the fanpage's “About” section."))
        )
    if length(name) > NAME_LIMIT:
        found.append(problem("name", N_("The name can have at most {most} characters."), most=NAME_LIMIT))
    if not re.fullmatch(r"[\x21-\x7e]{1,4000}", token):
        found.append(
            problem(
                "token", N_("Paste the fanpage's access token: one long word without spaces or line breaks.")
            )
        )
    if not is_zone(zone):
        found.append(
            problem("zone", N_("There is no time zone called {zone}; try Asia/Ho_Chi_Minh."), zone=zone)
        )
    return found


OTN_UNCONFIRMED = "otn_unconfirmed"  # by this staff confirm that Facebook was asked for OTN
ENDS_SOON = timedelta(days=7)


def permission_problems(
    scopes: Iterable[str], expires_at: datetime | None, now: datetime
) -> list[HealthProblem]:
    """What is wrong with an access token that has these permissions; without an end, `expires_at` is None."""
    granted = set(scopes)
    found = [T.NO_MESSAGING] if "pages_messaging" not in granted else []
    found += [T.NO_METADATA] if "pages_manage_metadata" not in granted else []
    return found + ([T.TOKEN_ENDS_SOON] if expires_at is not None and expires_at - now < ENDS_SOON else [])


def is_zone(name: str) -> bool:
    """Whether there is a time zone of this name."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return len(name) <= 64


def missing_fields(subscribed: Iterable[str], needed: Sequence[str] = WEBHOOK_FIELDS) -> tuple[str, ...]:
    """The webhook fields that are needed and an app has not subscribed to."""
    known = set(subscribed)
    return tuple(each for each in needed if each not in known)


def review_problem(reviews: Iterable[tuple[str, str]]) -> HealthProblem | None:
    """The problem that feature reviews (feature, status) show about one-time notifications, or None. The
    platform does not document that this feature is listed, so its absence proves nothing."""
    statuses = {status for feature, status in reviews if "one_time_notif" in feature}
    if "approved" in statuses:
        return None
    if "rejected" in statuses:
        return HealthProblem.OTN_REJECTED
    return HealthProblem.OTN_PENDING if "pending" in statuses else None
