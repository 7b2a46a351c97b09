"""The form of a text with quick replies, each of which leads to a message."""

from __future__ import annotations

from core.errors import N_
from core.messenger import wire
from pages.components.block_editor.draft import Block
from pages.components.block_editor.forms.choices import Target, add_choice, edit_choice
from pages.components.block_editor.forms.form import Around, BlockForm
from pages.components.block_editor.forms.wording import edit_wording
from pages.components.texts import _


def _edit(block: Block, around: Around) -> None:
    edit_wording(block, around, wire.TEXT_LIMIT, _("Text above the quick replies"))
    targets: dict[Target, str] = dict(around.messages.items())
    for place in range(len(block["replies"])):
        edit_choice(block["replies"], place, around, targets, wire.QUICK_REPLY_TITLE_LIMIT)
    add_choice(block, "replies", around, wire.QUICK_REPLIES_LIMIT, _("Add a quick reply"))


FORM = BlockForm(N_("Quick replies"), "quickreply", _edit)
