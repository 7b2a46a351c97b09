"""A language is a folder of catalogues: a third one needs no code."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from core.consent.import_columns import find_columns
from core.consent.stop_words import stopped
from core.settings import settings
from core.text import catalogues

HEADER = 'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=utf-8\\n"\n"Plural-Forms: {rule}\\n"\n\n'
THAI = HEADER.format(rule="nplurals=1; plural=0;") + (
    'msgid "Overview"\nmsgstr "ภาพรวม"\n\n'
    'msgid "Token"\nmsgstr "โทเค็น"\n\n'
    'msgid "{n} message"\nmsgid_plural "{n} messages"\nmsgstr[0] "{n} ข้อความ"\n'
)
POLISH = HEADER.format(
    rule="nplurals=3; plural=(n==1 ? 0 : n%10>=2 && n%10<=4 && (n%100<10 || n%100>=20) ? 1 : 2);"
) + ('msgid "{n} file"\nmsgid_plural "{n} files"\nmsgstr[0] "plik"\nmsgstr[1] "pliki"\nmsgstr[2] "plików"\n')


@pytest.fixture
def more_languages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The catalogues of today, beside a Thai one of three sentences and a Polish one with three plurals."""
    folder = tmp_path / "locales"
    shutil.copytree(catalogues.LOCALES, folder)
    for code, written in (("th", THAI), ("pl", POLISH)):
        (folder / code).mkdir()
        (folder / code / "some.po").write_text(written, "utf-8")
    monkeypatch.setattr(catalogues, "LOCALES", folder)
    return folder


def test_the_languages_are_the_folders_and_english_each_by_its_own_name():
    assert catalogues.languages() == {"vi": "Tiếng Việt", "en": "English"}


def test_another_folder_is_another_language(more_languages):
    assert catalogues.languages() == {"pl": "Polski", "th": "ไทย", "vi": "Tiếng Việt", "en": "English"}
    assert catalogues.say_in("th")("Overview") == "ภาพรวม"


def test_what_a_catalogue_lacks_is_said_in_english(more_languages):
    assert catalogues.say_in("th")("Customers") == "Customers"
    assert catalogues.say_in("th")("") == ""
    assert stopped("Mai", None, catalogues.say_in("th")).startswith("Done: Mai will")


def test_each_catalogue_brings_its_own_plural_rule(more_languages):
    polish = catalogues.translations("pl")
    assert [polish.ngettext("{n} file", "{n} files", n) for n in (1, 2, 5, 22, 25)] == [
        "plik",
        "pliki",
        "plików",
        "pliki",
        "plików",
    ]
    assert catalogues.translations("th").ngettext("{n} message", "{n} messages", 1) == "{n} ข้อความ"
    assert catalogues.translations("en").ngettext("{n} file", "{n} files", 2) == "{n} files"
    assert catalogues.translations("th").ngettext("{n} file", "{n} files", 2) == "{n} files"


@pytest.mark.parametrize(
    ("locale", "code"), [("vi_VN", "vi"), ("th_TH", "th"), ("en_US", "en"), ("fr_FR", "en"), ("", "en")]
)
def test_a_customers_locale_leads_to_the_nearest_language(more_languages, locale, code):
    assert catalogues.language_of(locale) == code


def test_an_installation_may_speak_it(more_languages, monkeypatch):
    monkeypatch.setenv("OTN_LANGUAGE", "th")
    settings.cache_clear()
    assert settings().language == "th"


def test_a_file_that_was_exported_in_it_is_known_by_its_columns(more_languages):
    assert find_columns(["PSID", "โทเค็น", "Agreed at"]) == {"psid": 0, "token": 1, "consented_at": 2}
