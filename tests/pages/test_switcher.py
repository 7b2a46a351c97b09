"""The switcher: a list of few fanpages, a search among many; and nothing of one is seen on another."""

from __future__ import annotations

import pytest

from core.fanpages.queries import list_fanpages
from core.fanpages.search import find_fanpages
from pages.components.page_registry import ENTRIES
from tests.pages.shown import all_words


def many(arrange) -> list[int]:
    return [arrange.fanpage(f"Tiệm Hoa {n:03}") for n in range(199)] + [arrange.fanpage("Đặc sản Huế")]


def test_among_two_hundred_a_few_letters_without_marks_find_the_one(panel, arrange):
    wanted = many(arrange)[-1]
    at = panel("topics")
    at.button(key="fanpage_search_open").click().run()
    at.text_input(key="fanpage_search_words").input("dac hue").run()
    found = [b.key for b in at.button if b.key.startswith("fanpage_search_") and b.key[-1].isdigit()]
    assert found == [f"fanpage_search_{wanted}"]
    at.button(key=found[0]).click().run()
    assert not at.exception
    assert at.session_state["fanpage_id"] == wanted
    assert at.button(key="fanpage_search_open").label == "Đặc sản Huế"


def test_a_page_id_finds_its_fanpage_and_what_nobody_is_called_finds_none(arrange):
    many(arrange)
    known = list_fanpages()
    assert find_fanpages(known, known[7].page_id) == [known[7]]
    assert find_fanpages(known, "Phở") == []
    assert len(find_fanpages(known, "tiem HOA")) == 199
    assert len(find_fanpages(known, "  ")) == 200


def test_a_handful_is_a_plain_list(panel, arrange):
    first, second = arrange.fanpage("Tiệm Hoa Mai"), arrange.fanpage("Quán Sen")
    at = panel("topics", fanpage_id=first)
    at.selectbox(key="fanpage_switch").select(second).run()
    assert not at.exception
    assert at.session_state["fanpage_id"] == second


@pytest.fixture
def two(arrange) -> tuple[int, int]:
    """Two fanpages, each with a topic, a customer and an opt-in that name it."""
    made = []
    for word in ("Mai", "Sen"):
        fanpage_id = arrange.fanpage(f"Tiệm {word}")
        topic_id = arrange.topic(fanpage_id, f"Chủ đề của {word}")
        customer_id = arrange.customer(fanpage_id, f"Khách của {word}")
        arrange.opt_in(topic_id, customer_id, fanpage_id=fanpage_id, promise=f"Lời hứa của {word}")
        made.append(fanpage_id)
    return made[0], made[1]


@pytest.mark.parametrize("entry", [e for e in ENTRIES if not e.parent], ids=lambda e: e.url_path)
def test_nothing_of_a_fanpage_is_left_on_a_page_after_the_switch(panel, two, entry):
    at = panel(entry.url_path, fanpage_id=two[0])
    at.selectbox(key="fanpage_switch").select(two[1]).run()
    assert not at.exception
    said = all_words(at)
    assert not [word for word in ("Chủ đề của Mai", "Khách của Mai", "Lời hứa của Mai") if word in said]
