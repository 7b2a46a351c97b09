"""The Messenger profile: what may be published, and how what is live differs from what is here."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.conversation.messenger_profile.rules import (
    DEFAULT,
    LOCALES,
    Item,
    LocaleProfile,
    Profile,
    check_profile,
    clean_profile,
    read_profile,
    write_profile,
)
from core.conversation.messenger_profile.wire import differences, from_wire, to_wire

titles = st.text("abcăơđ ", min_size=1, max_size=12).map(lambda text: f"x{text}".strip())
items = st.one_of(
    st.builds(Item, titles, st.integers(1, 99)),
    st.builds(Item, titles, st.none(), st.just("https://maihoa.example/a")),
)
questions = st.builds(Item, titles, st.integers(1, 99))
locales = st.builds(
    LocaleProfile, titles, st.lists(questions, max_size=4).map(tuple), st.lists(items, max_size=5).map(tuple)
)
profiles = st.builds(
    lambda everybody, others: Profile({DEFAULT: everybody, **dict(sorted(others.items()))}),
    locales,
    st.dictionaries(st.sampled_from(LOCALES), locales, max_size=3),
)


@given(profiles)
def test_what_is_kept_is_what_was_written(profile: Profile) -> None:
    assert read_profile(write_profile(profile)) == profile
    assert clean_profile(clean_profile(profile)) == clean_profile(profile)


@given(profiles)
def test_what_is_live_is_read_as_it_was_written(profile: Profile) -> None:
    assert from_wire(to_wire(profile)) == profile
    assert differences(to_wire(profile), to_wire(profile)) == []


@given(profiles, profiles)
def test_equal_profiles_and_only_those_do_not_differ(one: Profile, other: Profile) -> None:
    found = differences(to_wire(one), to_wire(other))
    assert (found == []) is (one == other)
    assert all(each.live != each.here for each in found)


def test_what_facebook_adds_to_an_item_is_no_difference() -> None:
    here = to_wire(Profile({DEFAULT: LocaleProfile(menu=(Item("Web", None, "https://a.example"),))}))
    live = to_wire(Profile({DEFAULT: LocaleProfile(menu=(Item("Web", None, "https://a.example"),))}))
    live["persistent_menu"][0]["call_to_actions"][0] |= {"messenger_extensions": False}
    live["persistent_menu"][0]["disabled_surfaces"] = []
    assert differences(live, here) == []


def test_the_order_of_languages_is_no_difference() -> None:
    here = to_wire(Profile({DEFAULT: LocaleProfile("Chào"), "en_US": LocaleProfile("Hi")}))
    assert differences({**here, "greeting": here["greeting"][::-1]}, here) == []


@given(
    st.recursive(
        st.none() | st.text() | st.integers(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_whatever_facebook_answers_can_be_compared(strange: object) -> None:
    live = dict.fromkeys(("get_started", "greeting", "ice_breakers", "persistent_menu"), strange)
    assert isinstance(differences(live, to_wire(Profile())), list)


@pytest.mark.parametrize(
    ("profile", "fields"),
    [
        ({DEFAULT: LocaleProfile("Chào", (Item("Giá?", 1),), (Item("Giá", 1),))}, []),
        ({DEFAULT: LocaleProfile("x" * 161)}, ["default.greeting"]),
        ({DEFAULT: LocaleProfile(ice_breakers=(Item("Giá?", 1),) * 5)}, ["default.ice_breakers"]),
        ({DEFAULT: LocaleProfile(menu=(Item("x" * 31, 1),))}, ["default.menu.0.title"]),
        ({DEFAULT: LocaleProfile(menu=(Item("Giá", 9),))}, ["default.menu.0.message_id"]),
        ({DEFAULT: LocaleProfile(menu=(Item("Web", None, "https://"),))}, ["default.menu.0.url"]),
        ({DEFAULT: LocaleProfile(), "en_US": LocaleProfile(menu=(Item("Price", 1),))}, ["en_US.menu"]),
    ],
)
def test_what_facebook_would_refuse_is_said_first(
    profile: dict[str, LocaleProfile], fields: list[str]
) -> None:
    assert [each.field for each in check_profile(Profile(profile), {1})] == fields
