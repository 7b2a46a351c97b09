"""Plays what follows when a message of the page arrives: reports of the platform, and acts of the person."""

from __future__ import annotations

from functools import partial

from core.simulator import people, person_events
from core.simulator.entities import Habit, ThreadMessage
from core.simulator.world import World

APP_ID = 1517776481860111  # of the app that sent it, as an echo names it


def receive(world: World, bubble: ThreadMessage) -> None:
    """Schedule the reports about a message of the page that has arrived, and what the person
    does by habit."""
    person, behaviour = world.people[bubble.psid], world.behaviour
    if bubble.token and not behaviour.reports_for_token_sends:
        return
    world.later(behaviour.echo_seconds, partial(report_echo, world, bubble))
    world.later(behaviour.delivery_seconds, partial(_report_delivery, world, bubble))
    if person.habit in (Habit.PASSIVE, Habit.IGNORES):
        return
    world.later(behaviour.read_seconds, partial(_read_and_act, world, bubble))


def _read_and_act(world: World, bubble: ThreadMessage) -> None:
    person, behaviour = world.people[bubble.psid], world.behaviour
    people.read_everything(world, person.psid)
    if person.habit == Habit.BLOCKS and bubble.token:
        people.change_person(world, person.psid, blocked=True)
    elif people.request_of(bubble) and person.habit in (Habit.TAPS_AT_ONCE, Habit.TAPS_LATER):
        soon = person.habit == Habit.TAPS_AT_ONCE
        pause = behaviour.tap_seconds if soon else behaviour.tap_later_seconds
        world.later(pause, partial(_tap_by_habit, world, bubble))


def _tap_by_habit(world: World, bubble: ThreadMessage) -> None:
    with world.lock:
        if bubble.mid in world.bubbles and not bubble.taps and not world.people[bubble.psid].blocked:
            people.tap_notify_me(world, bubble.psid, bubble.mid)


def report_echo(world: World, bubble: ThreadMessage, *, app_id: int = APP_ID) -> None:
    """Tell the page's apps what the page has sent by that app."""
    message = {"is_echo": True, "app_id": app_id, "mid": bubble.mid}
    message |= {key: bubble.message[key] for key in ("text", "metadata") if key in bubble.message}
    if attachment := bubble.message.get("attachment"):
        message["attachments"] = [attachment]
    page = world.pages[bubble.page_id]
    world.emit(
        page,
        "message_echoes",
        {
            "sender": {"id": bubble.page_id},
            "recipient": {"id": bubble.psid},
            "timestamp": person_events.milliseconds(world, bubble.at),
            "message": message,
        },
    )


def _report_delivery(world: World, bubble: ThreadMessage) -> None:
    person = world.people[bubble.psid]
    delivery = {"mids": [bubble.mid], "watermark": person_events.milliseconds(world, bubble.at)}
    person_events.emit(world, person, "message_deliveries", None, delivery=delivery)
