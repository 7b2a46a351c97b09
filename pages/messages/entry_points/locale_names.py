"""Languages of customers by their names."""

from __future__ import annotations

from babel import Locale, UnknownLocaleError

from core.conversation.messenger_profile.rules import DEFAULT
from pages.components.texts import _, language


def locale_name(locale: str) -> str:
    if locale == DEFAULT:
        return _("Everybody")
    try:
        name = Locale.parse(locale).get_display_name(language())
    except (UnknownLocaleError, ValueError):  # Facebook has some of its own, such as es_LA
        name = None
    return name[:1].upper() + name[1:] if name else locale
