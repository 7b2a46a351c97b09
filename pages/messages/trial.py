"""Trying the bot out: what would it answer to a customer's words?"""

from __future__ import annotations

import streamlit as st

from core.consent.stop_words import find_stop_word
from core.conversation.entry_point_queries import answer_to
from core.fanpages.queries import get_fanpage
from core.text.normalise import is_blank
from pages.components import page_registry
from pages.components.layout import section
from pages.components.texts import _


def draw_trial(fanpage_id: int) -> None:
    with st.container(key="message_trial", border=True):
        section(_("Try it"))
        words = st.text_input(
            _("What would a customer write?"),
            key="message_trial_words",
            icon=":material/chat:",
            placeholder=_("hi, how much is a bunch?"),
            live=True,
        )
        if words and not is_blank(words):
            _answer(fanpage_id, words)


def _answer(fanpage_id: int, words: str) -> None:
    if stop_word := find_stop_word(words, get_fanpage(fanpage_id).stop_words):
        st.info(
            _(
                "“{word}” is a stop word: the customer gets no more notifications, and the chatbot "
                "confirms it.",
                word=stop_word,
            ),
            icon=":material/notifications_off:",
        )
        return
    found = answer_to(fanpage_id, words)
    if found is None:
        st.info(
            _(
                "The chatbot stays silent: there is no keyword in these words. Somebody on your team "
                "can answer."
            ),
            icon=":material/volume_off:",
        )
        return
    st.markdown(
        _("The chatbot answers with this message, because of the keyword “{value}”:", value=found.value)
    )
    page_registry.link("message", found.message_name, icon=":material/chat:", id=found.message_id)
