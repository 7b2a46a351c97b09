"""The form of a file."""

from __future__ import annotations

from core.errors import N_
from pages.components.block_editor.forms.form import BlockForm
from pages.components.block_editor.forms.media import address_form

_HINT = N_("Messenger loads the file from this address: it must be public and no larger than 25 MB.")

FORM = BlockForm(
    N_("File"), "attach_file", address_form(N_("Web address of the file"), "https://…/bang-gia.pdf", _HINT)
)
