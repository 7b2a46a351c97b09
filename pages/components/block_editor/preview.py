"""The phone beside the composer, and whose phone it is: language, known by name or not, tapped or not."""

from __future__ import annotations

import streamlit as st

from core.conversation.rendering import has_placeholder
from core.conversation.rules import BlockKind
from core.text.languages import languages
from pages.components.block_editor import draft as drafts
from pages.components.block_editor.draft import Draft
from pages.components.phone import Bubble, bubbles_of, show_phone
from pages.components.texts import _, language


def show_preview(draft: Draft, *, page_name: str) -> None:
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
        tapped = _has_otnr(draft) and st.toggle(_("After the tap"), key="preview_tapped")
        nameless = _has_name(draft) and st.toggle(_("Name unknown"), key="preview_nameless")
    show_phone(
        _thread(draft, first_name=None if nameless else "Lan", tapped=bool(tapped)),
        language=spoken or language(),
        dark=st.context.theme.type == "dark",
        page_name=page_name,
        tall=590,
    )


def _thread(draft: Draft, *, first_name: str | None, tapped: bool) -> list[Bubble]:
    """What the bot says after a tap comes last: the customer taps when every block has arrived."""
    drawn = [
        bubbles_of(block.kind, block.content, first_name=first_name, tapped=tapped)
        for block in drafts.blocks_of(draft)
    ]
    return [bubbles[0] for bubbles in drawn] + [thanks for bubbles in drawn for thanks in bubbles[1:]]


def _has_otnr(draft: Draft) -> bool:
    return any(block["kind"] == BlockKind.OTNR for block in draft["blocks"])


def _has_name(draft: Draft) -> bool:
    texts = (block.get("text") or "" for block in draft["blocks"])
    afters = (block.get("after") or "" for block in draft["blocks"])
    return any(map(has_placeholder, (*texts, *afters)))
