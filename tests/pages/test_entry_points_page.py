"""The page of entry points: greeting, questions and menu are kept as typed and published to Facebook."""

from collections.abc import Iterator

import pytest

from core.accounts.rules import COMMAND_LINE
from core.conversation.actions import save_message
from core.conversation.drafts import BlockDraft, EntryDraft
from core.conversation.messenger_profile.actions import save_profile
from core.conversation.messenger_profile.queries import get_profile
from core.conversation.messenger_profile.rules import DEFAULT, Item, LocaleProfile, Profile
from core.encryption import encrypt
from core.fanpages import connection
from core.settings import settings
from core.simulator import World, running_simulator
from tests.pages.shown import all_words

PAGE, TOKEN = "100000000000001", "page-token-of-the-shop"


@pytest.fixture
def world(fresh_database, monkeypatch) -> Iterator[World]:
    world = World()
    secret = settings().app_secret.get_secret_value()
    world.add_page(PAGE, "Tiệm Hoa Mai", TOKEN, app_secret=secret)
    with running_simulator(world) as url:
        monkeypatch.setenv("OTN_GRAPH_URL", url)
        settings.cache_clear()
        yield world
    connection.forget_connections()


@pytest.fixture
def shop(arrange, world) -> int:
    return arrange.fanpage(page_id=PAGE, token_sealed=encrypt(TOKEN))


def message(shop: int, name: str, now, *words: str) -> int:
    blocks = [BlockDraft("text", {"text": "Dạ"})]
    entries = [EntryDraft("keyword", "contains", word) for word in words]
    return save_message(COMMAND_LINE, shop, name=name, blocks=blocks, entry_points=entries, now=now)


def widget(widgets, ending: str):
    return next(each for each in widgets if each.key and each.key.endswith(ending))


def test_a_greeting_and_a_question_are_kept_at_once_and_published(panel, shop, world, now):
    prices = message(shop, "Bảng giá", now)
    at = panel("entry_points", role="editor")
    widget(at.text_area, "_greeting").input("Chào {{user_first_name}}!").run()
    at.button(key="profile_ice_breakers_add").click().run()
    widget(at.text_input, "_title").input("Giá bao nhiêu?").run()
    widget(at.selectbox, "_leads").select(prices).run()
    assert not at.exception
    kept = get_profile(shop).profile.locales[DEFAULT]
    assert kept == LocaleProfile("Chào {{user_first_name}}!", (Item("Giá bao nhiêu?", prices),))
    at.button(key="profile_publish").click().run()
    assert "Giá bao nhiêu? → Bảng giá" in all_words(at)
    at.button(key="publish_profile_confirm").click().run()
    assert not at.exception
    assert world.page(PAGE).profile["greeting"] == [
        {"locale": "default", "text": "Chào {{user_first_name}}!"}
    ]
    assert get_profile(shop).published_version == get_profile(shop).version


def test_what_stands_against_publishing_is_said_with_its_place(panel, shop, world, now):
    menu = (Item("Menu", None, "hoa.vn"),)
    locales = {DEFAULT: LocaleProfile(menu=menu), "de_DE": LocaleProfile("x" * 161)}
    save_profile(COMMAND_LINE, shop, Profile(locales), seen=0, now=now)
    at = panel("entry_points", role="editor")
    at.button(key="profile_publish").click().run()
    said = all_words(at)
    assert "Menu · Everybody: “hoa.vn” is not a web address" in said
    assert "Greeting · German (Germany): The greeting has 161 characters" in said


def test_a_refusal_of_facebook_is_said_in_the_dialog(panel, shop, world, now):
    save_profile(COMMAND_LINE, shop, Profile({DEFAULT: LocaleProfile("Chào!")}), seen=0, now=now)
    at = panel("entry_points", role="editor")
    at.button(key="profile_publish").click().run()
    world.faults.switch_on("profile_write_refused")
    at.button(key="publish_profile_confirm").click().run()
    assert "did not accept everything" in all_words(at)
    assert get_profile(shop).published_version is None


def test_what_is_unfinished_is_not_published(panel, shop, now):
    save_profile(COMMAND_LINE, shop, Profile({DEFAULT: LocaleProfile(menu=(Item(),))}), seen=0, now=now)
    at = panel("entry_points", role="editor")
    at.button(key="profile_publish").click().run()
    assert "marked in red" in all_words(at)
    assert not [each for each in at.button if each.key == "publish_profile_confirm"]


def test_a_menu_of_another_language_is_kept_beside_that_of_everybody(panel, shop, now):
    menu = (Item("Web", None, "https://maihoa.example/a"),)
    save_profile(COMMAND_LINE, shop, Profile({DEFAULT: LocaleProfile(menu=menu)}), seen=0, now=now)
    at = panel("entry_points", role="editor")
    at.selectbox(key="profile_locale").select("en_US").run()
    at.button(key="profile_menu_add").click().run()
    widget(at.text_input, "_title").input("Shop").run()
    assert get_profile(shop).profile.locales["en_US"].menu == (Item("Shop"),)
    assert get_profile(shop).profile.locales[DEFAULT].menu == menu


def test_a_change_by_somebody_else_is_shown_and_not_overwritten(panel, shop, now):
    at = panel("entry_points", role="editor")
    theirs = Profile({DEFAULT: LocaleProfile("Chào từ Hà!")})
    save_profile(COMMAND_LINE, shop, theirs, seen=0, now=now)
    widget(at.text_area, "_greeting").input("Của tôi").run()
    assert get_profile(shop).profile == theirs
    assert "Somebody else changed" in at.toast[0].value
    assert widget(at.text_area, "_greeting").value == "Chào từ Hà!"


def test_keywords_that_get_in_each_others_way_are_said_with_the_winner(panel, shop, now):
    message(shop, "Bảng giá", now, "giá")
    message(shop, "Khuyến mãi", now, "giá khuyến mãi")
    at = panel("entry_points")
    assert "A customer who writes “giá khuyến mãi” gets Khuyến mãi" in all_words(at)


def test_a_viewer_sees_it_and_changes_nothing(panel, shop, now):
    at = panel("entry_points", role="viewer")
    assert not at.exception
    assert not [each for each in at.button if each.key == "profile_publish"]
    assert widget(at.text_area, "_greeting").disabled
