"""The messenger_profile edge: greeting, Get Started, ice breakers, persistent menu. What its pages do not
print is marked as assumed.

https://developers.facebook.com/docs/messenger-platform/reference/messenger-profile-api
"""

from __future__ import annotations

from typing import Any, NoReturn

from core.simulator.entities import GraphError, SimulatedPerson
from core.simulator.page_edges import Edge, Params, parsed
from core.text.utf16_units import units

PROPERTIES = ("get_started", "greeting", "persistent_menu", "ice_breakers", "commands")
ICE_BREAKERS_LIMIT = 4
MENU_LIMIT = 20  # assumed, like the three below
MENU_TITLE_LIMIT = 30
QUESTION_LIMIT = 80
GREETING_LIMIT = 160
DEFAULT = "default"


def read(edge: Edge) -> Params:
    """Answer GET /{page}/messenger_profile."""
    wanted = [each for each in str(edge.params.get("fields", "")).split(",") if each]
    if not wanted or set(wanted) - set(PROPERTIES):
        _refuse(f"The parameter fields is required and takes {', '.join(PROPERTIES)}.")
    shown = {each: edge.page.profile[each] for each in wanted if each in edge.page.profile}
    return {"data": [shown] if shown else []}


def put(edge: Edge) -> Params:
    """Answer POST /{page}/messenger_profile: all of it is taken, or nothing."""
    given = {each: parsed(edge.params[each]) for each in PROPERTIES if each in edge.params}
    if not given:
        _refuse("Param must set at least one of " + ", ".join(PROPERTIES))
    return _keep(edge, {**edge.page.profile, **given})


def delete(edge: Edge) -> Params:
    """Answer DELETE /{page}/messenger_profile."""
    fields = parsed(edge.params.get("fields", []))
    fields = fields.split(",") if isinstance(fields, str) else fields
    if not fields or set(fields) - set(PROPERTIES):
        _refuse("Param fields must name at least one of " + ", ".join(PROPERTIES))
    return _keep(edge, {key: value for key, value in edge.page.profile.items() if key not in fields})


def of_person(shown: Any, person: SimulatedPerson) -> dict[str, Any]:
    """What a property shows to a person: the part of their language, else that of everybody."""
    parts = {each.get("locale", DEFAULT): each for each in _grouped(shown or [])}
    return parts.get(person.locale) or parts.get(DEFAULT) or {}


def _keep(edge: Edge, profile: Params) -> Params:
    _check(profile)
    with edge.world.lock:
        edge.page.profile = profile
        edge.world.keep_page(edge.page)
    return {"result": "success"}


def _check(profile: Params) -> None:
    started = profile.get("get_started")
    if started is not None and not (isinstance(started, dict) and started.get("payload")):
        _refuse("Param get_started must have a payload.")
    if profile.get("persistent_menu") and not started:
        _refuse("You must set a Get Started button if you also wish to use a menu.")
    for each in _parts(profile, "greeting"):
        _text(each, "text", "greeting", GREETING_LIMIT)
    for each in _parts(profile, "persistent_menu"):
        _check_menu(each)
    for each in _parts(profile, "ice_breakers"):
        questions = _actions(each, "ice_breakers", ICE_BREAKERS_LIMIT)
        for question in questions:
            _text(question, "question", "ice_breakers", QUESTION_LIMIT)
            _text(question, "payload", "ice_breakers", 1000)


def _check_menu(menu: Params) -> None:
    if not isinstance(menu.get("composer_input_disabled", False), bool):
        _refuse("Param persistent_menu[composer_input_disabled] must be a boolean.")
    for item in _actions(menu, "persistent_menu", MENU_LIMIT):
        _text(item, "title", "persistent_menu", MENU_TITLE_LIMIT)
        if item.get("type") == "postback":
            _text(item, "payload", "persistent_menu", 1000)
        elif item.get("type") != "web_url":  # no nested menus since version 8 of the Graph API
            _refuse("Param persistent_menu[call_to_actions][type] must be one of postback, web_url.")
        elif not str(item.get("url", "")).startswith(("http://", "https://")):
            _refuse("Param persistent_menu[call_to_actions][url] must be a valid URL.")


def _parts(profile: Params, name: str) -> list[Params]:
    """The parts of a property by language. Each language stands once, and one part is for everybody."""
    given = profile.get(name)
    if given is None:
        return []
    if not isinstance(given, list) or not given or not all(isinstance(each, dict) for each in given):
        _refuse(f"Param {name} must be a non-empty array of objects.")
    parts = _grouped(given)
    locales = [each.get("locale") for each in parts]
    if DEFAULT not in locales or len(set(locales)) < len(locales):
        _refuse(f"Param {name} must have the locale default, and each locale once.")
    return parts


def _grouped(given: list[Params]) -> list[Params]:
    """The old form of ice breakers is a flat list of questions for everybody; one call takes one form."""
    flat = [each for each in given if "question" in each]
    if flat and len(flat) < len(given):
        _refuse("Param ice_breakers must be of one format.")
    return [{"locale": DEFAULT, "call_to_actions": flat}] if flat else given


def _actions(part: Params, name: str, most: int) -> list[Params]:
    found = part.get("call_to_actions")
    if not isinstance(found, list) or not found or not all(isinstance(each, dict) for each in found):
        _refuse(f"Param {name}[call_to_actions] must be a non-empty array of objects.")
    if len(found) > most:
        _refuse(f"Param {name}[call_to_actions] has more than {most} elements.")
    return found


def _text(holder: Params, key: str, name: str, limit: int) -> None:
    value = holder.get(key)
    if not isinstance(value, str) or not value.strip():
        _refuse(f"Param {name}[{key}] must be a non-empty string.")
    if units(str(value)) > limit:
        _refuse(f"Length of param {name}[{key}] must be less than or equal to {limit}")


def _refuse(text: str) -> NoReturn:
    raise GraphError(100, f"(#100) {text}")
