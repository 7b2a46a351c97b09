"""The form of a text with buttons, and the rows of buttons that cards have as well."""

from __future__ import annotations

import streamlit as st

from core.conversation.payloads import STOP_ALL, STOP_PAYLOAD
from core.errors import N_
from core.messenger import message_limits
from pages.components.block_editor.draft import Block
from pages.components.block_editor.fields import bind_input
from pages.components.block_editor.forms.choices import (
    ASKS_AGAIN,
    CALLS,
    OPENS_ADDRESS,
    Choice,
    Target,
    add_choice,
    edit_choice,
)
from pages.components.block_editor.forms.form import BlockForm, EditorContext
from pages.components.block_editor.forms.personal_text import edit_personal_text
from pages.components.texts import _


def _edit(block: Block, context: EditorContext) -> None:
    edit_personal_text(block, context, message_limits.BUTTON_TEXT_LIMIT, _("Text above the buttons"))
    edit_buttons(block, context)


def edit_buttons(block: Block, context: EditorContext, *, least: int = 1) -> None:
    """A row for each button: it opens an address, leads to a message, calls, or stops notifications."""
    targets = _targets(context)
    for place, button in enumerate(block["buttons"]):
        edit_choice(block["buttons"], place, context, targets, message_limits.BUTTON_TITLE_LIMIT, least=least)
        _edit_address(button, context)
    add_choice(block, "buttons", context, message_limits.BUTTONS_LIMIT, _("Add a button"))


def _targets(context: EditorContext) -> dict[Target, str]:
    stops: dict[int | str, str] = {STOP_ALL: _("Stop all notifications")}
    stops |= {id_: _("Stop: {topic}", topic=name) for id_, name in context.topics.items()}
    targets: dict[Target, str] = {OPENS_ADDRESS: _("Open a web address"), CALLS: _("Call a phone number")}
    targets |= dict(context.messages.items())
    targets |= {
        f"{ASKS_AGAIN}{id_}": _("Ask again: {topic}", topic=name) for id_, name in context.topics.items()
    }
    return targets | {f"{STOP_PAYLOAD}{what}": words for what, words in stops.items()}


def _edit_address(button: Choice, context: EditorContext) -> None:
    if button["message_id"] or button["stop"] or button["asks_topic"]:
        return
    calls = button["phone"] is not None
    field, label = ("phone", _("Phone number")) if calls else ("url", _("Web address"))
    bind_input(
        st.text_input,
        button,
        field,
        label,
        f"row_{button['uid']}_{field}",
        disabled=context.locked,
        placeholder="0901 234 567" if calls else "https://",
        label_visibility="collapsed",
        live=True,
    )


FORM = BlockForm(N_("Buttons"), "smart_button", _edit, broadcast_word=N_("Text with buttons"))
