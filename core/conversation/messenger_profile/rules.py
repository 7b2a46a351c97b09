"""What a fanpage shows around its chat: greeting, menu and ice breakers, for each language (pure).

Facebook calls it the Messenger Profile: https://developers.facebook.com/docs/messenger-platform/reference/messenger-profile-api
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from core.conversation.blocks.links import check_link
from core.errors import N_, Problem, problem
from core.text.normalise import is_blank, normalise_name, normalise_text
from core.text.utf16_units import length

DEFAULT = "default"  # the language of everybody who has none of their own
# The languages that the panel offers. Facebook knows more; what another tool has set of them is shown, too.
LOCALES = ("vi_VN", "en_US", "en_GB", "fr_FR", "de_DE", "ja_JP", "ko_KR", "th_TH", "zh_CN", "zh_TW")
ICE_BREAKERS_LIMIT = 4  # documented; the limits below are known from practice and not printed (assumed)
GREETING_LIMIT = 160
QUESTION_LIMIT = 80
MENU_LIMIT = 20
MENU_TITLE_LIMIT = 30


@dataclass(frozen=True)
class Item:
    """An item of the menu, or a question: its words, and the message or web address that it leads to."""

    title: str = ""
    message_id: int | None = None
    url: str = ""


@dataclass(frozen=True)
class LocaleProfile:
    """What customers of one language see. What is empty is that of everybody."""

    greeting: str = ""
    ice_breakers: tuple[Item, ...] = ()
    menu: tuple[Item, ...] = ()


@dataclass(frozen=True)
class Profile:
    """By locale; `DEFAULT` is always there and comes first."""

    locales: Mapping[str, LocaleProfile] = field(default_factory=lambda: {DEFAULT: LocaleProfile()})

    @property
    def message_ids(self) -> set[int]:
        """The messages that it leads to."""
        items = (item for one in self.locales.values() for item in (*one.ice_breakers, *one.menu))
        return {item.message_id for item in items if item.message_id is not None}


def read_profile(content: Mapping[str, Any]) -> Profile:
    """The profile that a row holds."""
    found = {locale: _read_locale(given) for locale, given in content.items()}
    return Profile({DEFAULT: found.pop(DEFAULT, LocaleProfile()), **found})


def write_profile(profile: Profile) -> dict[str, Any]:
    """What `read_profile` reads back."""
    return {
        locale: {
            "greeting": one.greeting,
            "ice_breakers": [vars(item) for item in one.ice_breakers],
            "menu": [vars(item) for item in one.menu],
        }
        for locale, one in profile.locales.items()
    }


def in_short(profile: Profile) -> dict[str, Any]:
    """What customers read and where it leads, for the activity log: by language, that of everybody first."""
    found = {locale: _locale_in_short(one) for locale, one in profile.locales.items()}
    return {**found.pop(DEFAULT, {}), **found}


def _locale_in_short(one: LocaleProfile) -> dict[str, Any]:
    return {
        "greeting": one.greeting,
        "ice_breakers": [_item_in_short(item) for item in one.ice_breakers],
        "menu": [_item_in_short(item) for item in one.menu],
    }


def _item_in_short(item: Item) -> str:
    leads_to = item.url or (f"#{item.message_id}" if item.message_id is not None else "")
    return f"{item.title} → {leads_to}" if leads_to else item.title


def clean_profile(profile: Profile) -> Profile:
    """The profile as it is kept, its texts normalised."""
    return Profile(
        {
            locale: LocaleProfile(
                normalise_text(one.greeting),
                tuple(map(_clean_item, one.ice_breakers)),
                tuple(map(_clean_item, one.menu)),
            )
            for locale, one in profile.locales.items()
        }
    )


def check_profile(profile: Profile, message_ids: Collection[int]) -> list[Problem]:
    """What forbids publishing it; `message_ids` are the fanpage's messages. The field of a problem names the
    place: "default.menu.0.title"."""
    found = []
    for locale, one in profile.locales.items():
        found += _check_locale(locale, one, profile.locales[DEFAULT], message_ids)
    return found


def _check_locale(
    locale: str, one: LocaleProfile, everybody: LocaleProfile, message_ids: Collection[int]
) -> list[Problem]:
    found = []
    if length(one.greeting) > GREETING_LIMIT:
        words = N_("The greeting has {count} characters; Messenger allows {limit}.")
        found.append(problem(f"{locale}.greeting", words, count=length(one.greeting), limit=GREETING_LIMIT))
    parts = (
        ("ice_breakers", one.ice_breakers, ICE_BREAKERS_LIMIT, QUESTION_LIMIT),
        ("menu", one.menu, MENU_LIMIT, MENU_TITLE_LIMIT),
    )
    for part, items, most, longest in parts:
        if len(items) > most:
            words = N_("You can have at most {limit} of these.")
            found.append(problem(f"{locale}.{part}", words, limit=most))
        for place, item in enumerate(items):
            found += _check_item(f"{locale}.{part}.{place}", item, longest, message_ids)
    if locale != DEFAULT:
        found += _check_default(locale, one, everybody)
    return found


def _check_default(locale: str, one: LocaleProfile, everybody: LocaleProfile) -> list[Problem]:
    """Facebook takes a language of its own only beside one for everybody."""
    parts = (
        ("greeting", one.greeting, everybody.greeting),
        ("ice_breakers", one.ice_breakers, everybody.ice_breakers),
        ("menu", one.menu, everybody.menu),
    )
    words = N_("Write this for everybody, too: Facebook needs it for customers who use other languages.")
    return [problem(f"{locale}.{part}", words) for part, own, theirs in parts if own and not theirs]


def _check_item(path: str, item: Item, longest: int, message_ids: Collection[int]) -> list[Problem]:
    found = []
    if is_blank(item.title):
        found.append(problem(f"{path}.title", N_("Write what the customer will tap.")))
    elif length(item.title) > longest:
        words = N_("{count} characters; Messenger allows {limit}.")
        found.append(problem(f"{path}.title", words, count=length(item.title), limit=longest))
    if item.url:
        return found + check_link(f"{path}.url", item.url, "")
    if item.message_id is None:
        found.append(problem(f"{path}.message_id", N_("Choose the message that the chatbot sends.")))
    elif item.message_id not in message_ids:
        found.append(problem(f"{path}.message_id", N_("This message no longer exists; choose another one.")))
    return found


def _clean_item(item: Item) -> Item:
    url = item.url.strip()
    return Item(normalise_name(item.title), None if url else item.message_id, url)


def _read_locale(given: Mapping[str, Any]) -> LocaleProfile:
    return LocaleProfile(
        str(given.get("greeting") or ""),
        tuple(Item(**item) for item in given.get("ice_breakers") or ()),
        tuple(Item(**item) for item in given.get("menu") or ()),
    )
