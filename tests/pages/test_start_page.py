"""The page that a browser loads first is ours, and Streamlit's sentences are known to us."""

import re
from pathlib import Path

import pytest
import streamlit

from core.text.catalogues import languages
from pages.shell.start_page import leads_somewhere, page_of_ours
from pages.shell.streamlit_words import EXACT, words

STATIC = Path(streamlit.__file__).parent / "static"


@pytest.fixture(scope="module")
def theirs() -> str:
    return (STATIC / "index.html").read_text("utf-8")


@pytest.fixture(scope="module")
def scripts() -> str:
    return "".join(file.read_text("utf-8") for file in (STATIC / "static" / "js").glob("*.js"))


@pytest.mark.parametrize("language", ["vi", "en"])
def test_the_first_page_has_our_name_language_mark_and_words(theirs, language):
    ours = page_of_ours(theirs, language)
    assert f'<html lang="{language}">' in ours
    assert "<title>Notify Once</title>" in ours
    assert "app/static/mark.svg" in ours
    assert "otn.begin(" in ours
    assert "A Streamlit app" not in ours
    assert "enable JavaScript" not in ours
    assert "SourceSans" not in ours  # a font that nobody sees need not be fetched


def test_nothing_of_a_catalogue_ends_the_script(theirs):
    script = page_of_ours(theirs, "vi").split("otn.begin(")[1].split(");")[0]
    assert "<" not in script


@pytest.mark.parametrize("sentence", EXACT)
def test_streamlit_still_says_it_so(sentence, scripts):
    assert any(f"{quote}{sentence}{quote}" in scripts for quote in "`\"'"), (
        "Streamlit words it differently now: look at the page in Vietnamese and put the new words in"
    )


@pytest.mark.parametrize("language", [code for code in languages() if code != "en"])
def test_no_sentence_of_streamlit_stays_english(language):
    said = words()[language]["exact"]
    assert not [theirs for theirs, ours in said.items() if ours == theirs]


@pytest.mark.parametrize("written", ["May", "1 – Menu"])
def test_what_somebody_wrote_is_no_date(written):
    for said in words().values():
        assert written not in said["exact"]
        assert not [theirs for theirs, _ours in said["patterns"] if re.search(theirs, written)]


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [("5 – May", "tháng 5"), ("Selected Date: May 4, 2026", "Đã chọn: ngày {1} tháng 5 năm {2}")],
)
def test_the_month_of_a_date_is_in_the_readers_language(theirs, ours):
    assert next(said for pattern, said in words()["vi"]["patterns"] if re.search(pattern, theirs)) == ours


@pytest.mark.parametrize(
    ("path", "somewhere"),
    [("/", True), ("/overview", True), ("/overview/", True), ("/nowhere", False), ("/topics/more", False)],
)
def test_an_address_that_leads_nowhere_is_known(path, somewhere):
    assert leads_somewhere(path) is somewhere
