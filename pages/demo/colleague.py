"""Playing a colleague who answers from the Page's inbox, so that the chatbot's silence can be seen."""

from __future__ import annotations

from typing import Any

import streamlit as st

from core.clock import utc_now
from core.consent.customer_queries import find_customer
from core.conversation.reply_queries import find_silence
from core.fanpages.queries import FanpageView
from pages.components import page_registry
from pages.components.texts import _, when
from pages.demo import customer_phone


def draw_colleague(person: dict[str, Any], fanpage: FanpageView) -> None:
    """A field to answer in; and whether the chatbot is silent for this customer because somebody did."""
    customer_id = find_customer(fanpage.id, person["psid"])
    silence = find_silence(customer_id, now=utc_now()) if customer_id else None
    if silence is not None and customer_id is not None:
        words = _("Your team answered: the chatbot is silent until {until}.", until=when(silence.until))
        st.info(words, icon=":material/support_agent:")
        page_registry.link("customer", _("See this customer"), icon=":material/person:", id=customer_id)
    if not person["window_open"] or person["blocked"]:
        return
    with st.popover(_("Answer as your team"), icon=":material/support_agent:"):
        st.markdown(
            _(
                "As if somebody on your team wrote from the fanpage's inbox. The chatbot then "
                "leaves the conversation to them for a while."
            )
        )
        st.text_input(
            _("Your team's answer"),
            value=_("Hello, let me look into that for you."),
            key="phone_colleague_words",
        )
        st.button(_("Send as your team"), key="phone_colleague", on_click=_answer, args=(person["psid"],))


def _answer(psid: str) -> None:
    words = st.session_state["phone_colleague_words"]
    if words.strip():
        customer_phone.act(psid, "colleague", text=words)
