"""The form of a card: picture, title, the line under it, where a tap leads, and its buttons."""

from __future__ import annotations

from typing import Any

import streamlit as st

from core.clicks.short_links import link_address
from core.conversation.placeholders import has_placeholder
from core.errors import N_, problem
from core.messenger import message_limits
from core.pictures.rules import name_in
from pages.components.block_editor.draft import Block
from pages.components.block_editor.fields import bind_input, draw_warnings
from pages.components.block_editor.forms.buttons import edit_buttons
from pages.components.block_editor.forms.form import BlockForm, EditorContext
from pages.components.block_editor.forms.personal_text import edit_fallback
from pages.components.block_editor.forms.picture import edit_picture
from pages.components.character_counter import show_counter
from pages.components.session import current
from pages.components.texts import _


def _edit(block: Block, context: EditorContext) -> None:
    edit_card(block, context, f"block_{block['uid']}")


def edit_card(card: dict[str, Any], context: EditorContext, key: str) -> None:
    """`key` begins the names of its fields."""
    edit_picture(card, "image_url", key, context)
    _warn_of_address(card)
    _edit_words(card, context, key)
    bind_input(
        st.text_input,
        card,
        "url",
        _("Opens when the card is tapped (optional)"),
        f"{key}_url",
        disabled=context.locked,
        placeholder="https://",
        live=True,
    )
    edit_buttons(card, context, least=0)


def _warn_of_address(card: dict[str, Any]) -> None:
    """Messenger fetches the pictures of cards; it can reach those that were uploaded by our address only."""
    fanpage = current().fanpage
    if name_in(card.get("image_url")) and fanpage and not link_address(is_demo=fanpage.is_demo):
        words = N_(
            "Messenger can't load this image: this installation has no public address "
            "(OTN_PUBLIC_URL). Enter the image's web address instead, or ask your admin to set "
            "OTN_PUBLIC_URL."
        )
        draw_warnings([problem("image_url", words)])


def _edit_words(card: dict[str, Any], context: EditorContext, key: str) -> None:
    fallback = card.get("fallback") or ""
    for field, label, limit in (
        ("title", _("Title"), message_limits.CARD_TITLE_LIMIT),
        ("subtitle", _("Subtitle (optional)"), message_limits.CARD_SUBTITLE_LIMIT),
    ):
        bind_input(st.text_input, card, field, label, f"{key}_{field}", disabled=context.locked, live=True)
        show_counter(card[field], limit, fallback)
    if has_placeholder(card["title"] + card["subtitle"]):
        edit_fallback(card, context, key)


FORM = BlockForm(N_("Card"), "art_track", _edit)
