"""The form of a text with quick replies, and their rows, which a broadcast of any kind may have."""

from __future__ import annotations

import streamlit as st

from core.errors import N_
from core.messenger import message_limits
from pages.components.block_editor.draft import Block
from pages.components.block_editor.forms.choices import (
    ASKS,
    ASKS_AGAIN,
    OPENS_ADDRESS,
    Target,
    add_choice,
    edit_choice,
)
from pages.components.block_editor.forms.form import BlockForm, EditorContext
from pages.components.block_editor.forms.personal_text import edit_personal_text
from pages.components.texts import _


def _edit(block: Block, context: EditorContext) -> None:
    edit_personal_text(block, context, message_limits.TEXT_LIMIT, _("Text above the quick replies"))
    edit_replies(block, context, _targets(context))


def edit_broadcast_replies(block: Block, context: EditorContext) -> None:
    """Draws the quick replies of a broadcast, which may be no more than an answer."""
    targets: dict[Target, str] = {OPENS_ADDRESS: _("Just an answer")}
    edit_replies(block, context, targets | _targets(context), least=0)


def edit_replies(block: Block, context: EditorContext, targets: dict[Target, str], *, least: int = 1) -> None:
    for place in range(len(block["replies"])):
        edit_choice(
            block["replies"], place, context, targets, message_limits.QUICK_REPLY_TITLE_LIMIT, least=least
        )
    add_choice(block, "replies", context, message_limits.QUICK_REPLIES_LIMIT, _("Add a quick reply"))
    if any(reply.get("asks") for reply in block["replies"]):
        st.caption(
            _(
                "Messenger suggests the customer's own email or phone number, and shows nothing if "
                "it doesn't know one. What they send arrives in your fanpage's inbox."
            )
        )


def _targets(context: EditorContext) -> dict[Target, str]:
    asks: dict[Target, str] = {
        f"{ASKS}phone": _("Ask for the phone number"),
        f"{ASKS}email": _("Ask for the email"),
    }
    again: dict[Target, str] = {
        f"{ASKS_AGAIN}{id_}": _("Ask again: {topic}", topic=name) for id_, name in context.topics.items()
    }
    return dict(context.messages.items()) | again | asks


FORM = BlockForm(N_("Quick replies"), "quickreply", _edit)
