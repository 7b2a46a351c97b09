"""The form of each kind of entry point that is typed in the composer of a message."""

from __future__ import annotations

from pages.messages.composer.entry_forms.comment import CommentForm
from pages.messages.composer.entry_forms.form import EntryForm
from pages.messages.composer.entry_forms.get_started import GetStartedForm
from pages.messages.composer.entry_forms.keyword import KeywordForm
from pages.messages.composer.entry_forms.ref import RefForm

FORMS: dict[str, EntryForm] = {
    form.name: form for form in (GetStartedForm(), KeywordForm(), RefForm(), CommentForm())
}
