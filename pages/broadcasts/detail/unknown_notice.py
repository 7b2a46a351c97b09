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
            "An earlier try may have reached the customer, and then the opt-in was refused: that try may "
            "have used it, or the message itself is wrong."
        )
    return _(
        "An earlier try may have reached the customer. How it ended says nothing about that earlier try."
    )


def draw_worker_missing(now: datetime) -> None:
    """A warning when no worker has been heard of for a minute."""
    if is_worker_alive(now=now):
        return
    st.warning(
        _(
            "No worker shows a sign of life, so nothing is sent right now. Nothing is lost: it goes on as "
            "soon as the worker runs again. Tell your admin."
        ),
        icon=":material/cloud_off:",
    )


def draw_doubt(view: BroadcastView) -> None:
    """How many outcomes are unknown for now, and how many for good."""
    if view.in_doubt:
        words = n_(
            "{n} outcome is not clear yet: Messenger took the message or did not, and did not say. It is "
            "tried again with the same opt-in, which can be used only once, so nobody gets it twice.",
            "{n} outcomes are not clear yet: Messenger took the message or did not, and did not say. They "
            "are tried again with the same opt-ins, which can be used only once, so nobody gets it twice.",
            view.in_doubt,
        )
        st.info(words, icon=":material/help:")
    if view.counts[DeliveryState.UNKNOWN]:
        words = n_(
            "**{n} outcome stays in doubt.** Every try ended without a clear answer. The opt-in stays held, "
            "so that this customer is never notified twice; if Messenger reports the message later, it "
            "counts as sent by itself.",
            "**{n} outcomes stay in doubt.** Every try ended without a clear answer. The opt-ins stay held, "
            "so that these customers are never notified twice; if Messenger reports the messages later, they "
            "count as sent by themselves.",
            view.counts[DeliveryState.UNKNOWN],
        )
        st.warning(words, icon=":material/help:")
