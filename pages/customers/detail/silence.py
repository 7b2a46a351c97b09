"""Says that the chatbot is silent for a customer whom a colleague has answered, and lets staff end it."""

from __future__ import annotations

import streamlit as st

from core.accounts.rules import Permission
from core.clock import utc_now
from core.consent.customer_queries import CustomerView
from core.conversation.reply_queries import Silence
from core.conversation.silence_actions import end_silence
from pages.components.session import current, do
from pages.components.texts import _, when


def draw_silence(customer: CustomerView, silence: Silence | None) -> None:
    """Says that the chatbot is silent; draws nothing while it answers as usual."""
    if silence is None:
        return
    with st.container(key="customer_silence", border=True, horizontal=True, vertical_alignment="center"):
        words = _(
            "Somebody on your team answered from the fanpage's inbox at {at}. The chatbot is "
            "silent for this customer until {until}.",
            at=when(silence.colleague_at),
            until=when(silence.until),
        )
        st.markdown(f":material/support_agent: {words}")
        pressed = st.button(
            _("Let the chatbot answer"),
            key="customer_silence_end",
            icon=":material/smart_toy:",
            disabled=not current().actor.may(Permission.EDIT),
        )
    by = current().actor
    done = _("The chatbot answers this customer again.")
    if pressed and do(lambda: end_silence(by, customer.id, now=utc_now()), done=done) is not None:
        st.rerun()
