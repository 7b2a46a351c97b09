"""Notes on what nobody knows yet: outcomes in doubt, a worker that shows no sign of life."""

from __future__ import annotations

from datetime import datetime

import streamlit as st

from core.broadcasts.queries import BroadcastView
from core.deliveries.rules import DeliveryState
from core.fanpages.queries import is_worker_alive
from pages.components.broadcast_words import reason_sentence
from pages.components.texts import _, n_

# Their sentences say themselves that the customer may or may not have got it.
_OPEN_REASONS = (
    "timeout",
    "connection_lost",
    "server_error",
    "not_answered",
    "bad_answer",
    "lease_ran_out",
    "our_error",
)


def why_open(reason: str | None) -> str:
    """Why an outcome stays in doubt; never that nothing was sent."""
    if reason and reason in _OPEN_REASONS:
        return reason_sentence(reason)
    if reason == "token_refused":
        return _(
            "An earlier attempt may have reached the customer, and then the opt-in was refused: "
            "that attempt may have used it, or the problem is the message itself."
        )
    return _(
        "An earlier attempt may have reached the customer. How it ended says nothing about that attempt."
    )


def draw_worker_missing(now: datetime) -> None:
    """A warning when no worker has been heard of for a minute."""
    if is_worker_alive(now=now):
        return
    st.warning(
        _(
            "The worker is not running, so nothing is being sent. Nothing is lost: sending "
            "continues as soon as the worker runs again. Tell your admin."
        ),
        icon=":material/cloud_off:",
    )


def draw_doubt(view: BroadcastView) -> None:
    """How many outcomes are unknown for now, and how many for good."""
    if view.in_doubt:
        words = n_(
            "{n} result is not clear yet: Messenger did not say whether it took the message. We "
            "try again with the same opt-in, which works only once, so nobody gets it twice.",
            "{n} results are not clear yet: Messenger did not say whether it took the messages. We "
            "try again with the same opt-ins, which work only once, so nobody gets it twice.",
            view.in_doubt,
        )
        st.info(words, icon=":material/help:")
    if view.counts[DeliveryState.UNKNOWN]:
        words = n_(
            "**{n} result is still in doubt.** Every attempt ended without a clear answer. The "
            "opt-in is kept on hold so that this customer is never notified twice; if Messenger "
            "reports the message later, it counts as sent automatically.",
            "**{n} results are still in doubt.** Every attempt ended without a clear answer. The "
            "opt-ins are kept on hold so that these customers are never notified twice; if "
            "Messenger reports the messages later, they count as sent automatically.",
            view.counts[DeliveryState.UNKNOWN],
        )
        st.warning(words, icon=":material/help:")
