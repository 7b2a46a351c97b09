"""The form of a text with quick replies, each of which leads to a message."""

from __future__ import annotations

from core.errors import N_
from core.messenger import wire
from pages.components.block_editor.draft import Block
from pages.components.block_editor.forms.choices import Target, add_choice, edit_choice
from pages.components.block_editor.forms.form import BlockForm, EditorContext
from pages.components.block_editor.forms.wording import edit_wording
from pages.components.texts import _


def _edit(block: Block, context: EditorContext) -> None:
    edit_wording(block, context, wire.TEXT_LIMIT, _("Text above the quick replies"))
    targets: dict[Target, str] = dict(context.messages.items())
    for place in range(len(block["replies"])):
        edit_choice(block["replies"], place, context, targets, wire.QUICK_REPLY_TITLE_LIMIT)
    add_choice(block, "replies", context, wire.QUICK_REPLIES_LIMIT, _("Add a quick reply"))


FORM = BlockForm(N_("Quick replies"), "quickreply", _edit)
