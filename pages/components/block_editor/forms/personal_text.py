"""The fields of a text with the customer's first name in it: the text, and what stands in for the name."""

from __future__ import annotations

from typing import Any

import streamlit as st

from core.conversation.placeholders import has_placeholder
from pages.components.block_editor.draft import Block
from pages.components.block_editor.fields import bind_input
from pages.components.block_editor.forms.form import EditorContext
from pages.components.character_counter import show_counter
from pages.components.texts import _


def edit_personal_text(block: Block, context: EditorContext, limit: int, label: str) -> None:
    """`limit` is the most characters that Messenger allows; the label is for those who listen."""
    key = f"block_{block['uid']}"
    bind_input(
        st.text_area,
        block,
        "text",
        label,
        f"{key}_text",
        height="content",
        disabled=context.locked,
        placeholder=_("Hello {{first_name}}, …"),
        label_visibility="collapsed",
    )
    with st.container(key=f"{key}_under", horizontal=True, vertical_alignment="center"):
        st.button(
            _("Insert the customer's name"),
            key=f"{key}_name",
            icon=":material/person_add:",
            type="tertiary",
            disabled=context.locked,
            on_click=_insert_name,
            args=(f"{key}_text",),
        )
        show_counter(block["text"], limit, block.get("fallback") or "")
    if has_placeholder(block["text"]):
        edit_fallback(block, context, key)


def edit_fallback(content: dict[str, Any], context: EditorContext, key: str) -> None:
    """Draws the field for what stands in the place of a name that is not known."""
    bind_input(
        st.text_input,
        content,
        "fallback",
        _("When the name is unknown, say"),
        f"{key}_fallback",
        disabled=context.locked,
        placeholder=_("you"),
        live=True,
    )


def _insert_name(key: str) -> None:
    text = st.session_state.get(key, "")
    st.session_state[key] = f"{text}{' ' if text and not text[-1].isspace() else ''}{{{{first_name}}}}"
