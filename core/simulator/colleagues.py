"""Staff who answer from the Page's own inbox: not by our app, and so without its mark."""

from __future__ import annotations

from core.simulator import message_arrival
from core.simulator.entities import NotPossible, ThreadMessage
from core.simulator.thread_control import PAGE_INBOX
from core.simulator.world import World
from core.text.normalise import is_blank


def answer_from_inbox(world: World, psid: str, text: str) -> ThreadMessage:
    """Write to a person from the Page's inbox. Every app of the page gets the echo."""
    if is_blank(text):
        raise NotPossible("nothing was typed")
    with world.lock:
        person = world.person(psid)
        if not person.met or person.blocked or world.now() >= person.window_until:
            raise NotPossible("the inbox may not write to this person now")
        bubble = world.add_bubble(person, {"text": text}, by_page=True)
        message_arrival.report_echo(world, bubble, app_id=int(PAGE_INBOX))
        return bubble
