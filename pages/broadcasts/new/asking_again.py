"""Offers the button "tell me next time": whoever taps it is asked about the topic once more."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from core.conversation.blocks.buttons import Buttons
from core.conversation.blocks.text import Text
from core.errors import N_
from core.messenger import message_limits
from pages.components.block_editor import draft as composing
from pages.components.markdown import escape_markdown
from pages.components.texts import _

TITLE = N_("Tell me next time")
_WITH_BUTTONS = (Text.name, Buttons.name)


def offer_button(writing: dict[str, Any], topic_id: int, topics: Mapping[int, str]) -> None:
    """Beneath a text or a text with buttons, unless it has such a button or no room for one."""
    block = writing["blocks"][0]
    buttons = block.get("buttons") or []
    if block["kind"] not in _WITH_BUTTONS or topic_id not in topics:
        return
    if any(button.get("asks_topic") for button in buttons) or len(buttons) >= message_limits.BUTTONS_LIMIT:
        return
    st.button(
        _("Add the button “Tell me next time”"),
        key="broadcast_asks_again_add",
        icon=":material/replay:",
        type="tertiary",
        on_click=_add,
        args=(writing, topic_id),
        help=_(
            "Customers who tap it are asked about {topic} again, so your next broadcast reaches them, too.",
            topic=escape_markdown(topics[topic_id]),
        ),
    )


def _add(writing: dict[str, Any], topic_id: int) -> None:
    """A text becomes a text with buttons; a button that nothing was typed for gives way."""
    block = writing["blocks"][0]
    kept = [button for button in block.get("buttons") or [] if button.get("title") or button.get("url")]
    asks = {"title": _(TITLE), "asks_topic": topic_id}
    content = {"text": block.get("text") or "", "fallback": block.get("fallback") or ""}
    writing["blocks"].clear()
    composing.add_block(writing, Buttons.name, {**content, "buttons": [*kept, asks]})
