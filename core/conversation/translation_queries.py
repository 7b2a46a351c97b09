"""The languages of a message as staff see them."""

from __future__ import annotations

from dataclasses import dataclass

from core.conversation.translations import id_in_language, translations_of
from core.conversation.versions import Draft
from core.db.engine import reading


@dataclass(frozen=True)
class LanguageView:
    """A message, or a translation of it."""

    message_id: int
    language: str | None  # None: of the message itself, for everybody who gets no translation


def list_languages(draft: Draft) -> list[LanguageView]:
    """The message first, then its translations that are in use. `draft` is any of them."""
    original = draft.translation_of_id or draft.id
    with reading() as db:
        translations = translations_of(db, original)
        return [LanguageView(original, None), *(LanguageView(t.id or 0, t.language) for t in translations)]


def find_in_language(message_id: int, language: str) -> int:
    """The message, or the translation of it that customers of this language get."""
    with reading() as db:
        return id_in_language(db, message_id, language)
