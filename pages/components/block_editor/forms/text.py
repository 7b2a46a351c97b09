"""The form of a text."""

from __future__ import annotations

from core.errors import N_
from core.messenger import message_limits
from pages.components.block_editor.draft import Block
from pages.components.block_editor.forms.form import BlockForm, EditorContext
from pages.components.block_editor.forms.personal_text import edit_personal_text
from pages.components.texts import _


def _edit(block: Block, context: EditorContext) -> None:
    edit_personal_text(block, context, message_limits.TEXT_LIMIT, _("Text"))


FORM = BlockForm(N_("Text"), "notes", _edit)
