"""The phone beside the composer, and whose phone it is: language, known by name or not, tapped or not."""

from __future__ import annotations

import streamlit as st

from core.conversation.blocks.registry import asks_for_opt_in
from core.conversation.placeholders import has_placeholder
from core.conversation.preview import bubbles_of_blocks
from core.text.languages import languages
from pages.components.block_editor import draft as drafts
from pages.components.block_editor.draft import Draft
from pages.components.phone import draw_phone
from pages.components.texts import _, language


def draw_preview(draft: Draft, *, page_name: str) -> None:
    with st.container(key="preview_controls", horizontal_alignment="center", gap="small"):
        spoken = st.segmented_control(
            _("The customer's language"),
            list(languages()),
            default=language(),
            required=True,
            key="preview_language",
            format_func=languages().__getitem__,
            label_visibility="collapsed",
        )
    with st.container(key="preview_states", horizontal=True, horizontal_alignment="center", gap="medium"):
        tapped = _asks(draft) and st.toggle(_("After the tap"), key="preview_tapped")
        nameless = _has_name(draft) and st.toggle(_("Name unknown"), key="preview_nameless")
    draw_phone(
        bubbles_of_blocks(
            drafts.blocks_of(draft), first_name=None if nameless else "Lan", tapped=bool(tapped)
        ),
        language=spoken or language(),
        dark=st.context.theme.type == "dark",
        page_name=page_name,
        tall=590,
    )


def _asks(draft: Draft) -> bool:
    return any(asks_for_opt_in(block["kind"]) for block in draft["blocks"])


def _has_name(draft: Draft) -> bool:
    texts = [value for block in draft["blocks"] for value in block.values() if isinstance(value, str)]
    return any(map(has_placeholder, texts))
