"""The form of a one-time notification request: the promise, its topic, and the answer to the tap."""

from __future__ import annotations

import streamlit as st

from core.conversation.wording_tests import OTHER_TITLE
from core.errors import N_
from core.messenger import message_limits
from pages.components import page_registry
from pages.components.block_editor.draft import Block
from pages.components.block_editor.fields import bind_choice, bind_input
from pages.components.block_editor.forms.form import BlockForm, EditorContext
from pages.components.character_counter import show_counter
from pages.components.first_values import show_first
from pages.components.texts import _


def _edit(block: Block, context: EditorContext) -> None:
    key = f"block_{block['uid']}"
    bind_input(
        st.text_input,
        block,
        "title",
        _("What will you tell them about? This is your promise"),
        f"{key}_title",
        disabled=context.locked,
        placeholder=_("Tell me when the spring roses arrive"),
        live=True,
    )
    show_counter(block["title"], message_limits.REQUEST_TITLE_LIMIT)
    _second_wording(block, key, context)
    _choose_topic(block, context)
    st.caption(
        _(
            "Facebook writes the “Notify Me” button itself, in each customer's own language; it "
            "can't be changed."
        )
    )
    bind_input(
        st.text_area,
        block,
        "after",
        _("Answer after the tap (optional)"),
        f"{key}_after",
        height="content",
        disabled=context.locked,
        placeholder=_("Thank you! We will write to you once, about exactly this."),
    )
    show_counter(block["after"], message_limits.TEXT_LIMIT, only_near=True)


def _second_wording(block: Block, key: str, context: EditorContext) -> None:
    """A test of two wordings; switched off, the second one is gone."""
    show_first(f"{key}_test", bool(block.get(OTHER_TITLE)))
    if not st.toggle(_("Try a second wording"), key=f"{key}_test", disabled=context.locked):
        block[OTHER_TITLE] = ""
        return
    bind_input(
        st.text_input,
        block,
        OTHER_TITLE,
        _("Second wording"),
        f"{key}_title_b",
        disabled=context.locked,
        placeholder=_("Message me as soon as the spring roses are here"),
        live=True,
    )
    show_counter(block[OTHER_TITLE], message_limits.REQUEST_TITLE_LIMIT)
    st.caption(
        _(
            "Half of your customers see the first wording, half the second, and each customer "
            "always sees the same one. The topic's page shows which one gets more opt-ins."
        )
    )


def _choose_topic(block: Block, context: EditorContext) -> None:
    if not context.topics:
        st.info(_("An OTNR needs a topic, and there are none yet."), icon=":material/label:")
        page_registry.link("topics", _("Create a topic"), icon=":material/add:")
        return
    label, hint = _("OTN topic"), _("Choose a topic")
    key = f"block_{block['uid']}_topic"
    bind_choice(block, "topic_id", label, key, context.topics, disabled=context.locked, placeholder=hint)


FORM = BlockForm("OTNR", "notification_add", _edit, heading=N_("Ask for an opt-in (OTNR)"))
