"""What people can do, by the names that the control API uses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from core.simulator import colleagues, comments, people, thread_control
from core.simulator.world import World

Given = dict[str, Any]


def _tap(world: World, psid: str, **given: Any) -> Given:
    bubble = people.tap_button(world, psid, **given)
    return {"mid": bubble.mid} if bubble else {}


def _tap_menu(world: World, psid: str, **given: Any) -> Given:
    bubble = people.tap_menu(world, psid, **given)
    return {"mid": bubble.mid} if bubble else {}


def _open(world: World, psid: str, **given: Any) -> Given:
    return {"came_as": people.open_link(world, psid, **given)}


def _notify_me(world: World, psid: str, **given: Any) -> Given:
    return {"issued_at": people.tap_notify_me(world, psid, **given).issued_at}


def _consent(world: World, psid: str, **given: Any) -> Given:
    return {"issued_at": people.consent(world, psid, **given).issued_at}


def _react(world: World, psid: str, **given: Any) -> Given:
    people.react(world, psid, **given)
    return {}


def _read(world: World, psid: str) -> Given:
    people.read_everything(world, psid)
    return {}


def _remember(world: World, psid: str, **given: Any) -> Given:
    people.add_past_messages(world, psid, **given)
    return {}


def _page_reacts(world: World, psid: str, **given: Any) -> Given:
    people.page_reacts(world, psid, **given)
    return {}


def _colleague(world: World, psid: str, **given: Any) -> Given:
    return {"mid": colleagues.answer_from_inbox(world, psid, **given).mid}


def _other_app_takes(world: World, psid: str, **given: Any) -> Given:
    thread_control.another_app_takes(world, psid, **given)
    return {}


def _other_app_passes(world: World, psid: str) -> Given:
    thread_control.another_app_passes(world, psid)
    return {}


PERSON_ACTIONS: dict[str, Callable[..., Given]] = {
    "say": lambda world, psid, **given: {"mid": people.type_message(world, psid, **given).mid},
    "get_started": lambda world, psid, **given: {"mid": people.press_get_started(world, psid, **given).mid},
    "ice_breaker": lambda world, psid, **given: {"mid": people.tap_ice_breaker(world, psid, **given).mid},
    "menu": _tap_menu,
    "open": _open,
    "tap": _tap,
    "quick_reply": lambda world, psid, **given: {"mid": people.tap_quick_reply(world, psid, **given).mid},
    "notify_me": _notify_me,
    "comment": lambda world, psid, **given: {"comment_id": comments.write(world, psid, **given).comment_id},
    "consent": _consent,
    "react": _react,
    "read": _read,
    "remember": _remember,
    "page_reacts": _page_reacts,
    "colleague": _colleague,
    "other_app_takes": _other_app_takes,
    "other_app_passes": _other_app_passes,
}
