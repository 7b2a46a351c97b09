"""The form of a carousel: a tab for each card. The phone shows the card of the open tab."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from core.conversation.blocks.carousel import LEAST
from core.errors import N_
from core.messenger import message_limits
from pages.components.block_editor import draft as drafts
from pages.components.block_editor.draft import CARD_TO_OPEN, OPEN_CARD, Block
from pages.components.block_editor.fields import say_is_full, small_button
from pages.components.block_editor.forms.card import edit_card
from pages.components.block_editor.forms.form import BlockForm, EditorContext
from pages.components.texts import _


def _edit(block: Block, context: EditorContext) -> None:
    cards = block["cards"]
    for place, tab in enumerate(_tabs(block)):
        with tab, st.container(key=f"row_{cards[place]['uid']}_card"):
            _edit_card(block, place, context)
    if context.locked:
        return
    if len(cards) >= message_limits.CARDS_LIMIT:
        say_is_full(message_limits.CARDS_LIMIT)
        return
    st.button(
        _("Add a card"),
        key=f"block_{block['uid']}_card_add",
        icon=":material/add:",
        type="tertiary",
        on_click=_act,
        args=(block, len(cards), drafts.add_choice, cards, {"buttons": []}),
    )


def _tabs(block: Block) -> list[st.delta_generator.DeltaGenerator]:
    """The tab of each card. The block knows which one is open, for the phone."""
    key = f"block_{block['uid']}_tabs"
    labels = [_("Card {number}", number=place + 1) for place in range(len(block["cards"]))]
    wanted = block.pop(CARD_TO_OPEN, None)
    chosen = st.session_state.get(key)
    if wanted is not None or chosen not in labels:  # the panel speaks another language, or there are fewer
        place = block.get(OPEN_CARD, 0) if wanted is None else wanted
        chosen = labels[min(place, len(labels) - 1)]
    st.session_state[key] = chosen  # also as it was: with one card more or less Streamlit opens the first
    tabs = st.tabs(labels, key=key, on_change="rerun")
    block[OPEN_CARD] = labels.index(st.session_state[key])
    return list(tabs)


def _act(block: Block, leads_to: int, change: Callable[..., None], *args: object) -> None:
    """Changes the cards, and opens the one that the change was about."""
    change(*args)
    block[CARD_TO_OPEN] = leads_to


def _edit_card(block: Block, place: int, context: EditorContext) -> None:
    cards = block["cards"]
    key, last = f"row_{cards[place]['uid']}", len(cards) - 1
    is_full = len(cards) >= message_limits.CARDS_LIMIT
    with st.container(key=f"{key}_line", horizontal=True, horizontal_alignment="right", gap="small"):
        for name, sign, label, stuck, step in (
            ("left", "arrow_back", _("Move left"), place == 0, -1),
            ("right", "arrow_forward", _("Move right"), place == last, 1),
        ):
            args = (block, place + step, drafts.move_choice, cards, place, step)
            small_button(f"{key}_{name}", sign, label, context.locked or stuck, _act, args)
        twice = (block, place + 1, drafts.copy_choice, cards, place)
        small_button(f"{key}_copy", "content_copy", _("Duplicate"), context.locked or is_full, _act, twice)
        gone = (block, place, drafts.remove_choice, cards, place)
        stuck = context.locked or len(cards) <= LEAST
        small_button(f"{key}_gone", "delete", _("Remove"), stuck, _act, gone)
    edit_card(cards[place], context, key)


FORM = BlockForm(N_("Carousel"), "view_carousel", _edit)
