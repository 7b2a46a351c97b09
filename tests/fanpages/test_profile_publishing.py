"""Publishing greeting, menu and suggested questions: what differs is shown, and only what was read is
believed. Against the simulator, over HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlmodel import select

from core.accounts.rules import COMMAND_LINE, Actor, Role
from core.conversation.actions import archive_message, save_message
from core.conversation.drafts import BlockDraft, EntryDraft
from core.conversation.messenger_profile.actions import save_profile
from core.conversation.messenger_profile.queries import get_profile
from core.conversation.messenger_profile.rules import DEFAULT, Item, LocaleProfile, Profile
from core.db.engine import reading
from core.db.tables import Activity
from core.encryption import encrypt
from core.errors import Invalid, NotAllowed, WrongState
from core.fanpages import connection
from core.fanpages.profile_publishing import LiveState, look, publish, take_over_live
from core.settings import settings
from core.simulator import World, running_simulator
from tests.arrange import Arrange

PAGE, TOKEN = "100000000000001", "page-token-of-the-shop"


@pytest.fixture
def world(fresh_database, monkeypatch) -> Iterator[World]:
    world = World()
    secret = settings().app_secret.get_secret_value()
    world.add_page(PAGE, "Tiệm Hoa Mai", TOKEN, app_secret=secret, subscribed_fields=["messages"])
    with running_simulator(world) as url:
        monkeypatch.setenv("OTN_GRAPH_URL", url)
        settings.cache_clear()
        yield world
    connection.forget_connections()


@pytest.fixture
def fanpage(arrange: Arrange, world: World) -> int:
    return arrange.fanpage(page_id=PAGE, token_sealed=encrypt(TOKEN))


@pytest.fixture
def prices(fanpage, now) -> int:
    return message(fanpage, "Bảng giá", now)


def message(fanpage: int, name: str, now, *entries: EntryDraft) -> int:
    blocks = [BlockDraft("text", {"text": "Dạ, bảng giá đây ạ"})]
    return save_message(COMMAND_LINE, fanpage, name=name, blocks=blocks, entry_points=list(entries), now=now)


def keep(fanpage: int, profile: Profile, now) -> None:
    save_profile(COMMAND_LINE, fanpage, profile, seen=get_profile(fanpage).version, now=now)


def full(prices: int) -> Profile:
    return Profile(
        {
            DEFAULT: LocaleProfile(
                "Chào {{user_first_name}}!",
                (Item("Giá bao nhiêu?", prices),),
                (Item("Xem giá", prices), Item("Cửa hàng", None, "https://maihoa.example/shop")),
            ),
            "en_US": LocaleProfile("Hello!", (), (Item("Prices", prices),)),
        }
    )


def publish_now(fanpage: int, now, state: LiveState | None = None) -> LiveState:
    state = state or look(fanpage)
    return publish(COMMAND_LINE, fanpage, seen=state.seen, version=state.version, now=now)


def shown(fanpage: int) -> list[tuple[str, str]]:
    return [(each.name, each.locale) for each in look(fanpage).differences]


def test_what_is_live_and_what_is_here_are_shown_beside_each_other(world, fanpage, prices, now):
    world.page(PAGE).profile = {"greeting": [{"locale": "default", "text": "Xin chào"}]}
    keep(fanpage, full(prices), now)
    found = {(each.name, each.locale): each for each in look(fanpage).differences}
    assert list(found) == [
        ("get_started", "default"),
        ("greeting", "default"),
        ("greeting", "en_US"),
        ("ice_breakers", "default"),
        ("persistent_menu", "default"),
        ("persistent_menu", "en_US"),
    ]
    greeting = found["greeting", "default"]
    assert (greeting.live, greeting.here) == ((("Xin chào", ""),), (("Chào {{user_first_name}}!", ""),))
    assert found["persistent_menu", "default"].here == (
        ("Xem giá", f"menu:{prices}"),
        ("Cửa hàng", "https://maihoa.example/shop"),
    )


def test_publishing_writes_all_of_it_and_says_so(world, fanpage, prices, now):
    keep(fanpage, full(prices), now)
    assert publish_now(fanpage, now).is_published
    live = world.page(PAGE).profile
    assert live["get_started"] == {"payload": "GET_STARTED"}
    assert [menu["locale"] for menu in live["persistent_menu"]] == ["default", "en_US"]
    assert live["ice_breakers"][0]["call_to_actions"] == [
        {"question": "Giá bao nhiêu?", "payload": f"ice_breaker:{prices}"}
    ]
    view = get_profile(fanpage)
    assert (view.published_version, view.published_by) == (view.version, "command line")
    with reading() as db:
        verbs = [noted.verb for noted in db.scalars(select(Activity).order_by(Activity.id))]
        detail = db.scalars(select(Activity).where(Activity.verb == "fanpage.publish_profile")).one().detail
    assert verbs[-2:] == ["fanpage.change_profile", "fanpage.publish_profile"]
    assert detail["before"] == {"greeting": "", "ice_breakers": [], "menu": []}
    assert detail["after"]["greeting"] == "Chào {{user_first_name}}!"
    assert detail["after"]["menu"] == [f"Xem giá → #{prices}", "Cửa hàng → https://maihoa.example/shop"]
    assert set(detail["after"]) == {"greeting", "menu", "ice_breakers", "en_US"}


def test_publishing_twice_changes_nothing(world, fanpage, prices, now):
    keep(fanpage, full(prices), now)
    publish_now(fanpage, now)
    before = dict(world.page(PAGE).profile)
    assert publish_now(fanpage, now).is_published
    assert world.page(PAGE).profile == before


def test_what_is_gone_here_is_removed_there(world, fanpage, prices, now):
    keep(fanpage, full(prices), now)
    publish_now(fanpage, now)
    keep(fanpage, Profile(), now)
    publish_now(fanpage, now)
    assert world.page(PAGE).profile == {"get_started": {"payload": "GET_STARTED"}}


def test_what_changed_at_facebook_since_it_was_looked_at_is_not_overwritten(world, fanpage, prices, now):
    keep(fanpage, full(prices), now)
    state = look(fanpage)
    theirs = {"greeting": [{"locale": "default", "text": "của công cụ khác"}]}
    world.page(PAGE).profile = theirs
    with pytest.raises(WrongState, match="changed in the meantime"):
        publish_now(fanpage, now, state)
    assert world.page(PAGE).profile == theirs


def test_what_changed_here_since_it_was_looked_at_is_not_published(world, fanpage, prices, now):
    keep(fanpage, full(prices), now)
    state = look(fanpage)
    keep(fanpage, Profile(), now)
    with pytest.raises(WrongState, match="changed in the meantime"):
        publish_now(fanpage, now, state)
    assert world.page(PAGE).profile == {}


def test_a_refused_call_is_said_and_nothing_counts_as_published(world, fanpage, prices, now):
    keep(fanpage, full(prices), now)
    world.faults.switch_on("profile_write_refused", value={"code": 10})
    with pytest.raises(WrongState, match="did not accept everything"):
        publish_now(fanpage, now)
    assert get_profile(fanpage).published_version is None


def test_of_a_change_and_a_removal_only_one_may_be_taken_and_the_rest_is_said(world, fanpage, prices, now):
    keep(fanpage, full(prices), now)
    publish_now(fanpage, now)
    keep(fanpage, Profile({DEFAULT: LocaleProfile("Chào bạn!")}), now)
    world.faults.switch_on("profile_write_refused", after=1)
    with pytest.raises(WrongState, match="did not accept everything"):
        publish_now(fanpage, now)
    assert shown(fanpage) == [
        ("ice_breakers", "default"),
        ("persistent_menu", "default"),
        ("persistent_menu", "en_US"),
    ]
    assert get_profile(fanpage).published_version == 1
    with reading() as db:
        (detail,) = db.execute(
            select(Activity.detail).where(Activity.verb == "fanpage.publish_profile_in_part")
        ).scalars()
    assert "did not accept everything" in detail["text"]


def test_a_lost_answer_is_settled_by_reading(world, fanpage, prices, now):
    keep(fanpage, full(prices), now)
    world.faults.switch_on("profile_500_after", count=1)
    assert publish_now(fanpage, now).is_published


def test_without_a_look_afterwards_nothing_is_believed(world, fanpage, prices, now):
    keep(fanpage, full(prices), now)
    state = look(fanpage)
    world.faults.switch_on("profile_refused", after=2)  # after the look before it, and the change itself
    with pytest.raises(WrongState, match="don't know whether this was published"):
        publish_now(fanpage, now, state)
    assert get_profile(fanpage).published_version is None
    world.faults.switch_off("profile_refused")
    assert look(fanpage).is_published


def test_a_refused_look_changes_nothing(world, fanpage, prices, now):
    keep(fanpage, full(prices), now)
    world.faults.switch_on("profile_refused", value={"code": 230})
    with pytest.raises(WrongState, match="refuses to show"):
        look(fanpage)
    assert world.page(PAGE).profile == {}


def test_an_unfinished_profile_is_kept_but_not_published(world, fanpage, prices, now):
    keep(fanpage, Profile({DEFAULT: LocaleProfile(menu=(Item("", prices), Item("Xem hoa")))}), now)
    with pytest.raises(Invalid) as refused:
        publish_now(fanpage, now)
    assert [each.field for each in refused.value.problems] == [
        "default.menu.0.title",
        "default.menu.1.message_id",
    ]
    assert world.page(PAGE).profile == {}


def test_only_who_may_edit_may_publish(world, fanpage, prices, now):
    state = look(fanpage)
    viewer = Actor(id=None, name="Xem", role=Role.VIEWER)
    with pytest.raises(NotAllowed):
        publish(viewer, fanpage, seen=state.seen, version=state.version, now=now)


def test_the_profile_of_another_tool_is_taken_over_to_be_edited(world, fanpage, prices, now):
    world.page(PAGE).profile = {
        "get_started": {"payload": "OTHER"},
        "ice_breakers": [{"question": "Shop ở đâu?", "payload": "WHERE"}],
        "persistent_menu": [
            {
                "locale": "default",
                "call_to_actions": [{"type": "web_url", "title": "Web", "url": "https://a.example"}],
            }
        ],
    }
    taken = take_over_live(fanpage)
    assert taken is not None
    assert taken.locales[DEFAULT].ice_breakers == (Item("Shop ở đâu?", None),)
    assert taken.locales[DEFAULT].menu == (Item("Web", None, "https://a.example"),)


def test_a_message_that_the_menu_leads_to_is_not_archived(fanpage, prices, now):
    keep(fanpage, full(prices), now)
    with pytest.raises(WrongState, match="menu or suggested questions"):
        archive_message(COMMAND_LINE, prices, now=now)


def test_two_editors_do_not_overwrite_each_other(fanpage, prices, now):
    keep(fanpage, full(prices), now)
    with pytest.raises(WrongState, match="Somebody else"):
        save_profile(COMMAND_LINE, fanpage, Profile(), seen=0, now=now + timedelta(minutes=1))
    assert get_profile(fanpage).profile == full(prices)
