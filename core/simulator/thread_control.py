"""Which app controls a conversation: ours, or another one to which its events then go first.

https://developers.facebook.com/docs/messenger-platform/handover-protocol/conversation-control
"""

from __future__ import annotations

from typing import Any

from core.simulator import page_edges
from core.simulator.entities import GraphError, SimulatedPerson
from core.simulator.page_edges import Edge, parsed
from core.simulator.person_events import emit
from core.simulator.world import World

PAGE_INBOX = "263902037430900"  # the app id of the page's own inbox


def pass_control(edge: Edge) -> dict[str, Any]:
    """Pass the conversation from our app to another."""
    person = _person(edge)
    to = str(edge.params.get("target_app_id", ""))
    if not to.isdecimal():
        raise GraphError(100, "(#100) The parameter target_app_id is required.")
    _refuse_unless_ours(person)
    _hold(edge.world, person, None if to == page_edges.APP_ID else to)
    return {"success": True}


def take_control(edge: Edge) -> dict[str, Any]:
    """Take the conversation back for our app, as the page's default app may."""
    person = _person(edge)
    _hold(edge.world, person, None)
    return {"success": True}


def request_control(edge: Edge) -> dict[str, Any]:
    """Ask the app that controls the conversation to pass it; nothing changes by this."""
    _person(edge)
    return {"success": True}


def thread_owner(edge: Edge) -> dict[str, Any]:
    """Answer GET /{page}/thread_owner."""
    person = _person(edge)
    return {"data": [{"thread_owner": {"app_id": person.held_by or page_edges.APP_ID}}]}


def another_app_takes(world: World, psid: str, *, app_id: str = PAGE_INBOX) -> None:
    """Let another app take the conversation. Our app is told so, and gets what follows in standby."""
    with world.lock:
        person = world.person(psid)
        _hold(world, person, app_id)
        emit(world, person, "messaging_handovers", None, take_thread_control={"new_owner_app_id": app_id})


def another_app_passes(world: World, psid: str) -> None:
    """Let the other app pass the conversation to ours."""
    with world.lock:
        person = world.person(psid)
        was = person.held_by
        _hold(world, person, None)
        control = {"new_owner_app_id": page_edges.APP_ID, "previous_owner_app_id": was}
        emit(world, person, "messaging_handovers", None, pass_thread_control=control)


def refuse_if_held(person: SimulatedPerson) -> None:
    """Raise GraphError for a message into a conversation that another app controls."""
    if person.held_by is not None:
        text = "(#10) Message failed to send because another app is controlling this thread now."
        raise GraphError(10, text, subcode=2018300)


def _hold(world: World, person: SimulatedPerson, app_id: str | None) -> None:
    with world.lock:
        person.held_by = app_id
        world.keep_person(person)


def _refuse_unless_ours(person: SimulatedPerson) -> None:
    if person.held_by is not None:
        raise GraphError(10, "(#10) The app does not control this conversation.", subcode=2018300)


def _person(edge: Edge) -> SimulatedPerson:
    recipient = parsed(edge.params.get("recipient"))
    psid = str(recipient.get("id", "")) if isinstance(recipient, dict) else str(recipient or "")
    person = edge.world.people.get(psid)
    if person is None or person.page_id != edge.page.page_id:
        raise GraphError(100, "(#100) No matching user found", subcode=2018001)
    return person
