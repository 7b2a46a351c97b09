"""The webhook events of what a person does: in the standby channel while another app controls the thread."""

from __future__ import annotations

from typing import Any

from core.simulator.entities import SimulatedPerson
from core.simulator.world import World


def emit(world: World, person: SimulatedPerson, field: str, at: float | None, **body: Any) -> None:
    """Send the webhook event of what a person did, in the standby channel while another app controls the
    conversation."""
    parties = {"sender": {"id": person.psid}, "recipient": {"id": person.page_id}}
    event = {**parties, "timestamp": milliseconds(world, at), **body}
    page = world.pages[person.page_id]
    if person.held_by is None or field == "messaging_handovers":
        world.emit(page, field, event)
    else:
        world.emit(page, "standby", _overheard(event), list_name="standby")


def _overheard(event: dict[str, Any]) -> dict[str, Any]:
    """The event as it comes in standby: a postback comes without its payload, as is documented."""
    if "postback" not in event:
        return event
    return {**event, "postback": {key: value for key, value in event["postback"].items() if key != "payload"}}


def milliseconds(world: World, at: float | None) -> int:
    """A time of the world, or the present, in milliseconds."""
    return int((world.now() if at is None else at) * 1000)
