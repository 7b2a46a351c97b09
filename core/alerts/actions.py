"""What people do about alerts."""

from __future__ import annotations

from datetime import datetime

from core.accounts.activity_log import record
from core.accounts.authorising import EVERYTHING, authorise, authorise_early
from core.accounts.rules import Actor, Permission
from core.alerts import channels
from core.alerts.channel_state import note
from core.alerts.channels import Channel, NotTaken
from core.alerts.conditions import test_condition, words_of
from core.db.dialects import insert_into
from core.db.engine import transaction
from core.db.tables import AlertChannel
from core.errors import N_, OperatorError


def ask_for_test(by: Actor, *, now: datetime) -> list[str]:
    """Ask the worker for a test alert by each channel that is set up; their names are returned. It leaves
    within seconds, and the health page says how it fared."""
    with transaction() as db:
        authorise(db, by, Permission.ADMIN, EVERYTHING, now=now)
        known = _channels()
        asked = {"test_asked_at": now}
        for each in known:
            insert = insert_into(AlertChannel).values(channel=str(each), **asked)
            db.execute(insert.on_conflict_do_update(index_elements=["channel"], set_=asked))
        record(db, by, "alert.test", now=now)
    return [str(each) for each in known]


def send_test(by: Actor, *, now: datetime) -> list[str]:
    """Send a test alert at once by each channel that is set up; their names are returned. Raises
    OperatorError when one does not take it."""
    authorise_early(by, Permission.ADMIN, EVERYTHING, now=now)
    known = _channels()
    for channel in known:
        try:
            channels.send(channel, *words_of([test_condition()]))
        except NotTaken as refused:
            note(channel, now=now, problem=str(refused))
            raise OperatorError(N_("The alert could not be sent: {why}"), why=refused) from None
        note(channel, now=now)
    return [str(each) for each in known]


def _channels() -> list[Channel]:
    if known := channels.channels():
        return known
    raise OperatorError(
        N_("There is nobody to alert: set OTN_ALERT_EMAIL and OTN_SMTP_HOST, or OTN_ALERT_URL, and restart.")
    )
