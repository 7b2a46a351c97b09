"""The control API under `/control`: makes pages and people, acts for them, switches faults on,
reads the books."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

import requests
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from core.simulator import control_views, people, person_events
from core.simulator.actions import PERSON_ACTIONS
from core.simulator.entities import NotPossible, Page
from core.simulator.world import World
from core.text.identifiers import read_id

Given = dict[str, Any]
PAGE_FIELDS = {each.name for each in fields(Page)}


@dataclass(frozen=True)
class ControlCall:
    """One call of the control API: its path and query, and the JSON object in its body."""

    world: World
    method: str
    path: Mapping[str, str]
    query: Mapping[str, str]
    given: Given


ControlHandler = Callable[[ControlCall], Any]


def _endpoint(handler: ControlHandler, *, slow: bool = False) -> Callable[[Request], Any]:
    async def endpoint(request: Request) -> Response:
        world: World = request.app.state.world
        try:
            given = await request.json() if await request.body() else {}
            asked = ControlCall(world, request.method, request.path_params, request.query_params, given)
            told = await run_in_threadpool(handler, asked) if slow else handler(asked)
        except NotPossible as problem:
            return JSONResponse({"error": str(problem)}, 409)
        except (ValueError, KeyError, TypeError) as problem:
            return JSONResponse({"error": f"{type(problem).__name__}: {problem}"}, 400)
        await world.store.committed()
        return JSONResponse(told)

    return endpoint


def _id(given: object) -> str:
    """Read an id as a script or a person gives it. Raises ValueError when it is none."""
    known = read_id(given)
    if known is None:
        raise ValueError(f"{given!r} is no id: an id is digits")
    return known


def _list_pages(asked: ControlCall) -> Any:
    return {
        "pages": [control_views.shown_page(asked.world, each) for each in list(asked.world.pages.values())]
    }


def _save_page(asked: ControlCall) -> Any:
    if unknown := set(asked.given) - PAGE_FIELDS:
        raise ValueError(f"a page has no {sorted(unknown)}")
    page_id = _id(asked.given.pop("page_id"))
    known = asked.world.pages.get(page_id)
    name = asked.given.pop("name", known.name if known else "")
    token = asked.given.pop("token", known.token if known else "")
    page = asked.world.add_page(page_id, name, token, **asked.given)
    return control_views.shown_page(asked.world, page)


def _remove_page(asked: ControlCall) -> Any:
    asked.world.remove_page(asked.world.page(_id(asked.path["page_id"])).page_id)
    return {}


def _verify(asked: ControlCall) -> Any:
    """Make the handshake that Meta makes when a webhook is entered in the settings of an app."""
    page = asked.world.page(_id(asked.path["page_id"]))
    challenge = str(secrets.randbelow(10**10))
    query = {
        "hub.mode": "subscribe",
        "hub.verify_token": page.verify_token,
        "hub.challenge": challenge,
    }
    try:
        answer = requests.get(page.webhook_url, params=query, timeout=5)
    except requests.RequestException as problem:
        return {"verified": False, "reason": type(problem).__name__}
    return {"verified": answer.status_code == 200 and answer.text == challenge, "status": answer.status_code}


def _list_people(asked: ControlCall) -> Any:
    page_id = asked.query.get("page_id")
    page_id = page_id and _id(page_id)
    return {
        "people": [
            control_views.shown_person(asked.world, p)
            for p in list(asked.world.people.values())
            if page_id in (None, p.page_id)
        ]
    }


def _add_people(asked: ControlCall) -> Any:
    page_id = _id(asked.given["page_id"])
    people_given = [
        {**each, "psid": _id(each["psid"])} if each.get("psid") else each for each in asked.given["people"]
    ]
    added = [asked.world.add_person(page_id, **each) for each in people_given]
    return {"people": [control_views.shown_person(asked.world, each) for each in added]}


def _change_person(asked: ControlCall) -> Any:
    psid = _id(asked.path["psid"])
    return control_views.shown_person(asked.world, people.change_person(asked.world, psid, **asked.given))


def _thread(asked: ControlCall) -> Any:
    person = asked.world.person(_id(asked.path["psid"]))
    bubbles = list(asked.world.threads.get(person.psid, []))
    return {
        "person": control_views.shown_person(asked.world, person),
        "bubbles": [control_views.shown_message(each) for each in bubbles],
    }


def _forget_thread(asked: ControlCall) -> Any:
    asked.world.forget_thread(_id(asked.path["psid"]))
    return {}


def _act(asked: ControlCall) -> Any:
    return _perform(asked.world, asked.path["psid"], asked.path["act"], asked.given)


def _acts(asked: ControlCall) -> Any:
    """Many acts of many people, in their order."""
    for act in asked.given["acts"]:
        given = {key: value for key, value in act.items() if key not in ("psid", "act")}
        _perform(asked.world, act["psid"], act["act"], given)
    return {"done": len(asked.given["acts"])}


def _perform(world: World, psid: str, act: str, given: Given) -> Given:
    if act not in PERSON_ACTIONS:
        raise NotPossible(f"people cannot {act!r}")
    return PERSON_ACTIONS[act](world, _id(psid), **given)


def _date_earlier(asked: ControlCall) -> Any:
    """Date the messages that a page has sent by token earlier, which gives the demo a past."""
    page_id, seconds = _id(asked.path["page_id"]), float(asked.given["seconds"])
    return {"dated": asked.world.date_earlier(page_id, seconds)}


def _issue_tokens(asked: ControlCall) -> Any:
    """Issue many tokens without webhooks: for imports, and for tests that send."""
    page_id = _id(asked.path["page_id"])
    psids = [_id(psid) for psid in asked.given.get("psids") or ()] or [
        asked.world.add_person(page_id, f"Khách {number + 1}").psid
        for number in range(int(asked.given.get("count", 1)))
    ]
    at = asked.given.get("at")
    issued = [
        asked.world.issue_token(asked.world.person(psid), title=asked.given.get("title", ""), at=at)
        for psid in psids
    ]
    return {"tokens": [{"psid": each.psid, "token": each.token} for each in issued]}


def _books(asked: ControlCall) -> Any:
    page_id = asked.world.page(_id(asked.path["page_id"])).page_id
    since = float(asked.query.get("since", 0))
    return control_views.read_books(asked.world, page_id, since, short=asked.query.get("short") == "1")


def _faults(asked: ControlCall) -> Any:
    if asked.method == "POST":
        asked.world.faults.switch_on(**asked.given)
    return {"faults": asked.world.faults.list()}


def _end_faults(asked: ControlCall) -> Any:
    asked.world.faults.switch_off(asked.path.get("name"))
    return {"faults": asked.world.faults.list()}


def _usage(asked: ControlCall) -> Any:
    percent = asked.given.get("percent")
    asked.world.quota.shown_usage = (
        None if percent is None else (float(percent), float(asked.given.get("minutes", 0)))
    )
    return {}


def _settings(asked: ControlCall) -> Any:
    asked.world.behaviour.change(asked.given)
    return asdict(asked.world.behaviour)


def _clock(asked: ControlCall) -> Any:
    asked.world.go_ahead(float(asked.given.get("ahead_seconds", 0)))
    return {"now": asked.world.now(), "ahead_seconds": asked.world.ahead_seconds}


def _emit(asked: ControlCall) -> Any:
    """Send any events as webhooks, as they are: odd shapes, unknown kinds, a thousand at once."""
    page = asked.world.page(_id(asked.given["page_id"]))
    for event in asked.given["events"]:
        field = asked.given.get("field", "messages")
        asked.world.emit(page, field, event, list_name=asked.given.get("list_name", "messaging"))
    return {"queued": len(asked.given["events"])}


def _policy(asked: ControlCall) -> Any:
    """Let Meta warn, block or unblock the page. `old_spelling` writes the event's name with a hyphen."""
    page = asked.world.page(asked.path["page_id"])
    key = "policy-enforcement" if asked.given.pop("old_spelling", False) else "policy_enforcement"
    at = asked.given.pop("at", None)
    event = {"recipient": {"id": page.page_id}, "timestamp": person_events.milliseconds(asked.world, at)}
    asked.world.emit(page, "messaging_policy_enforcement", {**event, key: asked.given})
    return {}


def _webhooks(asked: ControlCall) -> Any:
    page_id = asked.world.page(_id(asked.path["page_id"])).page_id
    if asked.method == "POST":
        asked.world.dispatcher.wait_until_delivered(page_id, float(asked.given.get("timeout", 10)))
    return asdict(asked.world.dispatcher.report(page_id))


def routes() -> list[BaseRoute]:
    """The routes of the control API."""

    def route(path: str, handler: ControlHandler, method: str = "GET", *, slow: bool = False) -> BaseRoute:
        return Route("/control" + path, _endpoint(handler, slow=slow), methods=[method])

    return [
        route("/pages", _list_pages),
        route("/pages", _save_page, "POST"),
        route("/pages/{page_id}", _remove_page, "DELETE"),
        route("/pages/{page_id}/verify", _verify, "POST", slow=True),
        route("/pages/{page_id}/tokens", _issue_tokens, "POST"),
        route("/pages/{page_id}/earlier", _date_earlier, "POST"),
        route("/acts", _acts, "POST"),
        route("/people", _list_people),
        route("/people", _add_people, "POST"),
        route("/people/{psid}", _change_person, "PATCH"),
        route("/people/{psid}/thread", _thread),
        route("/people/{psid}/thread", _forget_thread, "DELETE"),
        route("/people/{psid}/{act}", _act, "POST"),
        route("/books/{page_id}", _books),
        route("/faults", _faults),
        route("/faults", _faults, "POST"),
        route("/faults", _end_faults, "DELETE"),
        route("/faults/{name}", _end_faults, "DELETE"),
        route("/usage", _usage, "POST"),
        route("/settings", _settings),
        route("/settings", _settings, "POST"),
        route("/clock", _clock, "POST"),
        route("/emit", _emit, "POST"),
        route("/pages/{page_id}/policy", _policy, "POST"),
        route("/webhooks/{page_id}", _webhooks),
        route("/webhooks/{page_id}", _webhooks, "POST", slow=True),
    ]
