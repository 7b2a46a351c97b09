"""The form of a carousel: a tab for each card."""

from __future__ import annotations

import streamlit as st

from core.conversation.blocks.carousel import LEAST
from core.errors import N_
from core.messenger import message_limits
from pages.components.block_editor import draft as drafts
from pages.components.block_editor.draft import Block
from pages.components.block_editor.fields import small_button
from pages.components.block_editor.forms.card import edit_card
from pages.components.block_editor.forms.form import BlockForm, EditorContext
from pages.components.texts import _


def _edit(block: Block, context: EditorContext) -> None:
    cards = block["cards"]
    for place, tab in enumerate(st.tabs([_("Card {number}", number=n + 1) for n in range(len(cards))])):
        with tab:
            _edit_card(cards, place, context)
    if len(cards) < message_limits.CARDS_LIMIT and not context.locked:
        st.button(
            _("Add a card"),
            key=f"block_{block['uid']}_card_add",
            icon=":material/add:",
            type="tertiary",
            on_click=drafts.add_choice,
            args=(cards, {"buttons": []}),
        )


def _edit_card(cards: list[Block], place: int, context: EditorContext) -> None:
    key, last = f"row_{cards[place]['uid']}", len(cards) - 1
    with st.container(key=f"{key}_line", horizontal=True, horizontal_alignment="right", gap="small"):
        for name, sign, label, stuck, step in (
            ("left", "arrow_back", _("Move left"), place == 0, -1),
            ("right", "arrow_forward", _("Move right"), place == last, 1),
        ):
            args = (cards, place, step)
            small_button(f"{key}_{name}", sign, label, context.locked or stuck, drafts.move_choice, args)
        stuck = context.locked or len(cards) <= LEAST
        small_button(f"{key}_gone", "delete", _("Remove"), stuck, drafts.remove_choice, (cards, place))
    edit_card(cards[place], context, key)


FORM = BlockForm(N_("Carousel"), "view_carousel", _edit)
