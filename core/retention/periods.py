"""How long each kind of record is kept that is deleted by its age; those with a setting: core/settings.py.

Opt-ins and withdrawals are not among them. An event that may still become one is kept as long as a token is
valid (`LOST_TAP`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from core.accounts.session_rules import KEEP_SESSIONS
from core.accounts.sign_in import KEEP_ATTEMPTS
from core.consent.rules import LIFETIME
from core.errors import N_
from core.funnel.counting import OLDEST
from core.inbox.old_events import FAILED_KEPT_FOR
from core.pictures.unused import KEPT_FOR as PICTURES_KEPT_FOR
from core.settings import Settings


class Record(StrEnum):
    """A kind of record that is deleted by its age."""

    EVENT = "event"
    FAILED_EVENT = "failed_event"
    LOST_TAP = "lost_tap"
    ACTIVITY = "activity"
    REPLY = "reply"
    REQUEST = "request"
    ATTEMPT = "attempt"
    IMPORT_REASON = "import_reason"
    SIGN_IN_ATTEMPT = "sign_in_attempt"
    SESSION = "session"
    PICTURE = "picture"
    CALL_COUNT = "call_count"
    BACKUP_NOTE = "backup_note"


ATTEMPTS_KEPT_FOR = timedelta(days=400)  # the longest that anybody asks what became of a broadcast
IMPORT_REASONS_KEPT_FOR = timedelta(days=90)
CALL_COUNTS_KEPT_FOR = timedelta(days=7)  # the allowance looks back 24 hours
BACKUP_NOTES_KEPT_FOR = timedelta(days=400)
# The funnel and the cool-down read from them whether a request went out. Days begin in the fanpage's zone.
REQUESTS_KEPT_FOR = OLDEST + timedelta(days=2)


@dataclass(frozen=True)
class Kept:
    """For how long a kind of record is kept; `setting` changes it, where one does."""

    record: Record
    words: str
    period: timedelta
    setting: str = ""


def list_kept(chosen: Settings) -> tuple[Kept, ...]:
    """Every kind of record that is deleted by its age, as this installation keeps it."""
    return (
        Kept(
            Record.EVENT,
            N_("Webhook events, with what customers wrote"),
            timedelta(days=chosen.keep_events_days),
            "OTN_KEEP_EVENTS_DAYS",
        ),
        Kept(Record.FAILED_EVENT, N_("Events that failed and may be replayed"), FAILED_KEPT_FOR),
        Kept(
            Record.LOST_TAP,
            N_("Taps and messages that failed, or came before their fanpage was connected"),
            LIFETIME,
        ),
        Kept(
            Record.ACTIVITY,
            N_("Activity log"),
            timedelta(days=chosen.keep_activity_days),
            "OTN_KEEP_ACTIVITY_DAYS",
        ),
        Kept(
            Record.REPLY,
            N_("The chatbot's replies, with their text and clicks"),
            timedelta(days=chosen.keep_replies_days),
            "OTN_KEEP_REPLIES_DAYS",
        ),
        Kept(
            Record.REQUEST,
            N_("Requests for an opt-in sent by the chatbot (at least this long)"),
            max(REQUESTS_KEPT_FOR, timedelta(days=chosen.keep_replies_days)),
        ),
        Kept(Record.ATTEMPT, N_("Attempts of finished deliveries"), ATTEMPTS_KEPT_FOR),
        Kept(Record.IMPORT_REASON, N_("Why rows were left out of an import"), IMPORT_REASONS_KEPT_FOR),
        Kept(Record.SIGN_IN_ATTEMPT, N_("Failed sign-ins"), KEEP_ATTEMPTS),
        Kept(Record.SESSION, N_("Sessions of users"), KEEP_SESSIONS),
        Kept(Record.PICTURE, N_("Uploaded images no longer used"), PICTURES_KEPT_FOR),
        Kept(Record.CALL_COUNT, N_("Hourly counts of calls to Facebook"), CALL_COUNTS_KEPT_FOR),
        Kept(Record.BACKUP_NOTE, N_("Notes about backups"), BACKUP_NOTES_KEPT_FOR),
    )
