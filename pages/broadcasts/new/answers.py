"""What a broadcast has beside its block: quick replies under it, and what the bot says after an answer."""

from __future__ import annotations

from typing import Any

import streamlit as st

from pages.components.block_editor.fields import bind_choice
from pages.components.block_editor.forms.form import EditorContext
from pages.components.block_editor.forms.quick_replies import edit_broadcast_replies
from pages.components.texts import _


def edit_answers(under: dict[str, Any], context: EditorContext) -> None:
    with st.container(key="broadcast_answers", border=True):
        st.markdown(f":material/quickreply: **{_('Quick replies below it')}**")
        edit_broadcast_replies(under, context)
        st.markdown(f":material/forum: **{_('After they answer')}**")
        st.caption(
            _(
                "An opt-in allows one message. The chatbot sends the rest as soon as the customer "
                "answers within a day, unless the answer leads to another message."
            )
        )
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            bind_choice(
                under,
                "after_message_id",
                _("Follow-up message"),
                f"block_{under['uid']}_after",
                {0: _("Nothing"), **context.messages},
                disabled=context.locked,
                label_visibility="collapsed",
            )
