"""What is known of one outcome in doubt: why it is open, what Messenger reported since, and every attempt."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from core.broadcasts.delivery_queries import DeliveryView
from core.broadcasts.queries import BroadcastView
from core.deliveries.attempts import AttemptView
from pages.broadcasts.detail.unknown_notice import why_open
from pages.components.attempts import draw_attempts
from pages.components.broadcast_words import reason_word
from pages.components.texts import _, n_, when


def draw_evidence(view: BroadcastView, row: DeliveryView, attempts: Sequence[AttemptView]) -> None:
    """Everything that helps staff to decide whether this customer got the message."""
    st.markdown(f"**{reason_word(row.reason) or _('Another reason')}**")
    st.caption(why_open(row.reason))
    st.caption(_span(view, row, attempts))
    for said in _said_since(row, attempts):
        st.caption(said)
    if attempts:
        draw_attempts(attempts, key=f"doubt_{row.id}")
    elif row.detail:
        st.caption(_("Messenger's last answer"))
        st.code(row.detail, language=None, wrap_lines=True)
    else:
        st.caption(_("Messenger sent no answer to show."))


def _span(view: BroadcastView, row: DeliveryView, attempts: Sequence[AttemptView]) -> str:
    return n_(
        "{n} attempt, between {start} and {last}. Gave up {end}.",
        "{n} attempts, between {start} and {last}. Gave up {end}.",
        max(row.counted_attempts, len(attempts)),
        start=when(attempts[0].started_at if attempts else view.started_at),
        last=when(attempts[-1].started_at if attempts else row.claimed_at),
        end=when(row.settled_at),
    )


def _said_since(row: DeliveryView, attempts: Sequence[AttemptView]) -> list[str]:
    """Of the customer, since the last attempt that may have arrived. No proof: docs/decisions/0018."""
    since = max((each.started_at for each in attempts if each.in_doubt), default=row.claimed_at)
    if since is None:
        return []
    found = []
    if row.all_read_at and row.all_read_at >= since:
        found.append(
            _("After that the customer read the conversation, at {when}.", when=when(row.all_read_at))
        )
    elif row.all_delivered_at and row.all_delivered_at >= since:
        found.append(
            _("After that a message reached the customer, at {when}.", when=when(row.all_delivered_at))
        )
    if row.last_event_at and row.last_event_at >= since:
        found.append(_("After that the customer wrote or tapped, at {when}.", when=when(row.last_event_at)))
    if found:
        return [*found, _("That may have been about another message, so on its own it proves nothing.")]
    return [_("Since then Messenger has reported nothing about this customer.")]
