"""Tells people outside the panel what has happened; the worker does it."""

from __future__ import annotations

from datetime import datetime

from core.alerts.sending import is_set_up, send_alert
from core.broadcasts.ends import End, give_back, take_untold
from core.broadcasts.rules import BroadcastState
from core.errors import N_
from core.settings import settings
from core.text.languages import say_in


def tell_ends(*, now: datetime) -> int:
    """Tell of broadcasts that have ended. Returns of how many. What is not taken is tried again next time;
    without an address nobody is told, and nothing is kept for later."""
    ends = take_untold(now=now)
    if not is_set_up():
        return 0
    untold = [end for end in ends if not send_alert(*_words(end))]
    give_back(untold, now=now)
    return len(ends) - len(untold)


def _words(end: End) -> tuple[str, str]:
    """Title and text, in the installation's language."""
    say = say_in(settings().language)
    titles = {
        BroadcastState.MISSED: N_("Missed: “{name}”"),
        BroadcastState.CANCELLED: N_("Cancelled: “{name}”"),
    }
    title = titles.get(BroadcastState(end.state), N_("Ended: “{name}”"))
    text = N_("{sent} of {audience} customers got it. Launched by {who}.")
    if end.state == BroadcastState.MISSED:
        text = N_("It could not start before its best-before, so nothing was sent. Launched by {who}.")
    values = {"name": end.name, "sent": end.sent, "audience": end.audience, "who": end.launched_by or "–"}
    return say(title).format(**values), say(text).format(**values)
