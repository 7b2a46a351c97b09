"""The languages of the product. English stands in the code; every other one is a folder of catalogues.

`pages/locales/<code>/*.po` is all that a language is: its sentences, and in the header `Plural-Forms` the
rule by which it counts. Its own name and its way with dates and numbers come from the CLDR data that babel
carries. What a catalogue lacks is said in English.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from gettext import NullTranslations
from io import BytesIO
from pathlib import Path

from babel import Locale, negotiate_locale
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import Translations

LOCALES = Path(__file__).resolve().parents[2] / "pages" / "locales"
SOURCE = "en"  # the language of the sentences in the code


def languages() -> dict[str, str]:
    """Every language by its code (`vi`, `zh_TW`) with the name that it has for itself; English comes last."""
    return _languages_in(LOCALES)


def translations(code: str) -> NullTranslations:
    """The merged catalogues of a language; those of English, or of an unknown code, return what they get."""
    return _translations_in(LOCALES / code)


def say_in(code: str) -> Callable[[str], str]:
    """Puts sentences into that language; the result needs no session and may be used in any thread."""
    known = translations(code)
    return lambda sentence: known.gettext(sentence) if sentence else ""  # "" would give the header


def language_of(locale: str) -> str:
    """The language of ours that is nearest to a customer's locale (`vi_VN`); English when there is none."""
    return negotiate_locale([locale], list(languages())) or SOURCE


@lru_cache
def _languages_in(folder: Path) -> dict[str, str]:
    codes = sorted(each.name for each in folder.iterdir() if any(each.glob("*.po")))
    return {code: _own_name(code) for code in [*codes, SOURCE]}


def _own_name(code: str) -> str:
    name = Locale.parse(code).get_display_name() or code
    return name[:1].upper() + name[1:]


@lru_cache
def _translations_in(folder: Path) -> NullTranslations:
    """Read once per process; where two files translate one sentence, the last one by name counts."""
    merged: Translations | None = None
    for file in sorted(folder.glob("*.po")):
        compiled = BytesIO()
        with file.open("rb") as source:
            write_mo(compiled, read_po(source, locale=folder.name))
        compiled.seek(0)
        read = Translations(compiled)
        merged = merged.merge(read) if merged is not None else read
    return merged if merged is not None else NullTranslations()
