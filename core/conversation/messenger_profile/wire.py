"""The Messenger Profile on the wire, and how what is live differs from what is here (pure).

https://developers.facebook.com/docs/messenger-platform/reference/messenger-profile-api
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from core.conversation.entry_kinds.ice_breaker import IceBreaker
from core.conversation.entry_kinds.menu_item import MenuItem
from core.conversation.messenger_profile.rules import DEFAULT, Item, LocaleProfile, Profile
from core.conversation.payloads import GET_STARTED_PAYLOAD

Wire = dict[str, Any]  # properties by name, as Facebook writes and reads them
Line = tuple[str, str]  # what is shown, and the payload or address that it leads to
PROPERTIES = ("get_started", "greeting", "ice_breakers", "persistent_menu")


@dataclass(frozen=True)
class Difference:
    """A property that differs in one language: what is live, and what is here. No lines: nothing is set."""

    name: str
    locale: str
    live: tuple[Line, ...]
    here: tuple[Line, ...]


def to_wire(profile: Profile) -> Wire:
    """Every property that should be set. The Get Started button always is: the menu needs it."""
    written = {
        "get_started": {"payload": GET_STARTED_PAYLOAD},
        "greeting": [{"locale": locale, "text": one.greeting} for locale, one in _with(profile, "greeting")],
        "ice_breakers": [
            {"locale": locale, "call_to_actions": [_question(item) for item in one.ice_breakers]}
            for locale, one in _with(profile, "ice_breakers")
        ],
        "persistent_menu": [
            {
                "locale": locale,
                "composer_input_disabled": False,
                "call_to_actions": [_menu_item(item) for item in one.menu],
            }
            for locale, one in _with(profile, "menu")
        ],
    }
    return {name: value for name, value in written.items() if value}


def from_wire(live: Wire) -> Profile | None:
    """The profile that is live, as far as it can be edited here; None when nothing of it is."""
    lines = _lines(live)
    locales = sorted({locale for _name, locale in lines}, key=lambda one: (one != DEFAULT, one))
    found = {
        locale: LocaleProfile(
            "".join(text for text, _leads in lines.get(("greeting", locale), ())),
            tuple(_item(line, IceBreaker()) for line in lines.get(("ice_breakers", locale), ())),
            tuple(_item(line, MenuItem()) for line in lines.get(("persistent_menu", locale), ())),
        )
        for locale in locales
    }
    if not any(found.values()):
        return None
    return Profile({DEFAULT: found.pop(DEFAULT, LocaleProfile()), **found})


def differences(live: Wire, here: Wire) -> list[Difference]:
    """Where they differ, in the order of `PROPERTIES` and languages."""
    is_live, is_here = _lines(live), _lines(here)
    places = sorted(
        is_live.keys() | is_here.keys(),
        key=lambda place: (PROPERTIES.index(place[0]), place[1] != DEFAULT, place[1]),
    )
    return [
        Difference(*place, is_live.get(place, ()), is_here.get(place, ()))
        for place in places
        if is_live.get(place, ()) != is_here.get(place, ())
    ]


def _with(profile: Profile, part: str) -> Iterable[tuple[str, LocaleProfile]]:
    return [(locale, one) for locale, one in profile.locales.items() if getattr(one, part)]


def _question(item: Item) -> Wire:
    return {"question": item.title, "payload": IceBreaker().payload(item.message_id or 0)}


def _menu_item(item: Item) -> Wire:
    if item.url:
        return {"type": "web_url", "title": item.title, "url": item.url, "webview_height_ratio": "full"}
    return {"type": "postback", "title": item.title, "payload": MenuItem().payload(item.message_id or 0)}


def _item(line: Line, kind: IceBreaker | MenuItem) -> Item:
    title, leads = line
    if leads.startswith(("http://", "https://")):
        return Item(title, None, leads)
    return Item(title, kind.message_in(leads))


def _lines(properties: Wire) -> dict[tuple[str, str], tuple[Line, ...]]:
    """What each property shows in each language, without what Facebook adds to it."""
    found: dict[tuple[str, str], tuple[Line, ...]] = {}
    started = properties.get("get_started")
    if isinstance(started, Mapping) and started.get("payload"):
        found["get_started", DEFAULT] = (("", str(started["payload"])),)
    for one in _objects(properties.get("greeting")):
        found["greeting", _locale(one)] = ((str(one.get("text") or ""), ""),)
    for one in _grouped(_objects(properties.get("ice_breakers"))):
        lines = tuple((str(q.get("question")), str(q.get("payload"))) for q in _actions(one))
        found["ice_breakers", _locale(one)] = lines
    for one in _objects(properties.get("persistent_menu")):
        found["persistent_menu", _locale(one)] = _menu_lines(one)
    return {place: lines for place, lines in found.items() if lines}


def _menu_lines(menu: Wire) -> tuple[Line, ...]:
    shut = (("", "composer_input_disabled"),) if menu.get("composer_input_disabled") is True else ()
    leads = ((str(each.get("title")), str(each.get("url") or each.get("payload"))) for each in _actions(menu))
    return (*leads, *shut)


def _grouped(ice_breakers: list[Wire]) -> list[Wire]:
    """The old form is one flat list of questions, which holds for everybody."""
    flat = [each for each in ice_breakers if "question" in each]
    return [{"locale": DEFAULT, "call_to_actions": flat}] if flat else ice_breakers


def _actions(one: Wire) -> list[Wire]:
    return _objects(one.get("call_to_actions"))


def _locale(one: Wire) -> str:
    return str(one.get("locale") or DEFAULT)


def _objects(value: object) -> list[Wire]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []
