"""The guide for marketers: both languages say the same, each page has its part, and nothing is missing."""

from __future__ import annotations

import re
from io import BytesIO

import pytest
from babel.messages.pofile import read_po

from core.text.catalogues import LOCALES
from pages.components.guide import ABOUT, GUIDE, PARTS
from pages.components.page_registry import BY_PATH
from tests.journeys.take_screenshots import GUIDE_PICTURES, LANGUAGES

LARGEST = 100 * 1024
PICTURES = {f"{name}.{language}.webp" for name in GUIDE_PICTURES for language in LANGUAGES}


def text_of(language: str, part: str) -> str:
    return (GUIDE / language / f"{part}.md").read_text("utf-8")


def headings(language: str, part: str) -> list[str]:
    """The levels of the headings, in their order."""
    return re.findall(r"^(#+) \S", text_of(language, part), re.MULTILINE)


def pictures(language: str, part: str) -> list[str]:
    return re.findall(r"^!\[.+\]\(\.\./images/(.+)\)$", text_of(language, part), re.MULTILINE)


def test_each_page_names_a_part_that_there_is() -> None:
    assert set(ABOUT) == set(BY_PATH) - {"guide"}
    assert set(ABOUT.values()) <= set(PARTS)


def test_each_language_has_each_part_and_no_other() -> None:
    for language in LANGUAGES:
        assert {file.stem for file in (GUIDE / language).iterdir()} == set(PARTS)


@pytest.mark.parametrize("part", PARTS)
def test_both_languages_have_the_same_headings_and_pictures(part: str) -> None:
    assert headings("vi", part) == headings("en", part)
    assert headings("en", part)[0] == "#"
    of_vi, of_en = ([name.split(".")[0] for name in pictures(language, part)] for language in ("vi", "en"))
    assert of_vi == of_en
    assert all(name.endswith(f".{code}.webp") for code in LANGUAGES for name in pictures(code, part))


def test_every_picture_is_taken_shown_and_small() -> None:
    shown = {name for language in LANGUAGES for part in PARTS for name in pictures(language, part)}
    kept = {file.name: file.stat().st_size for file in (GUIDE / "images").iterdir()}
    assert shown == PICTURES == set(kept)
    assert {name: size for name, size in kept.items() if size > LARGEST} == {}


@pytest.mark.parametrize("language", LANGUAGES)
def test_links_lead_to_parts(language: str) -> None:
    linked = {name for part in PARTS for name in re.findall(r"\]\(([\w-]+)\.md\)", text_of(language, part))}
    assert linked <= set(PARTS)
    listed = re.findall(rf"\]\({language}/([\w-]+)\.md\)", (GUIDE / "README.md").read_text("utf-8"))
    assert listed == list(PARTS)


def labels(language: str) -> set[str]:
    """All that the panel says in a language, without the dots that end a button's text."""
    entries = [entry for file in LOCALES.glob("vi/*.po") for entry in read_po(BytesIO(file.read_bytes()))]
    said = [entry.id if language == "en" else entry.string for entry in entries]
    return {text.rstrip("…") for text in said if isinstance(text, str)}


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_word_in_italics_is_a_label_of_the_panel(language: str) -> None:
    italics = {
        name.rstrip("…")
        for part in PARTS
        for name in re.findall(r"(?<!\*)\*([^*\n]+)\*(?!\*)", text_of(language, part))
    }
    assert italics - labels(language) == {"+OTNR"}  # a button that is named in no language
