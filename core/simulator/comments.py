"""Comments on a page's posts, and the private replies to them.

Documented: one message for each comment, within seven days; the window stays as it is. Assumed: which codes
refuse a second message, an old comment and an unknown one, and that the author's id is their PSID.
https://developers.facebook.com/documentation/business-messaging/messenger-platform/discovery/private-replies
"""

from __future__ import annotations

import random
from typing import Any

from core.simulator import message_arrival
from core.simulator.entities import GraphError, NotPossible, Page, PostComment
from core.simulator.world import World
from core.text.normalise import is_blank

ANSWERED_WITHIN_SECONDS = 7 * 24 * 3600
POST = 1001  # of the page, when nobody names another one


def write(
    world: World,
    psid: str,
    text: str,
    *,
    post: int = POST,
    verb: str = "add",
    comment_id: str | None = None,
    at: float | None = None,
) -> PostComment:
    """Comment on a post; with `verb` "edited" or "remove" change the comment of that id."""
    if is_blank(text):
        raise NotPossible("nothing was written")
    with world.lock:
        person = world.person(psid)
        when = world.now() if at is None else at
        name = comment_id or f"{post}_{random.randint(10**14, 10**15 - 1)}"
        comment = world.comments.setdefault(name, PostComment(name, person.page_id, psid, when, text))
        world.keep_comment(comment)
        page_id = person.page_id
        value = {
            "item": "comment",
            "verb": verb,
            "comment_id": name,
            "post_id": f"{page_id}_{post}",
            "parent_id": f"{page_id}_{post}",
            "from": {"id": psid, "name": f"{person.first_name} {person.last_name}".strip()},
            "message": text,
            "created_time": int(when),
        }
        world.emit(world.page(page_id), "feed", {"field": "feed", "value": value}, list_name="changes")
        return comment


def answer(world: World, page: Page, comment_id: str, message: dict[str, Any]) -> dict[str, Any]:
    """Take the private reply of a page to a comment."""
    with world.lock:
        comment = world.comments.get(comment_id)
        if comment is None or comment.page_id != page.page_id:
            raise GraphError(100, "(#100) Invalid comment_id", subcode=33)
        if comment.mid is not None:
            raise GraphError(10900, "(#10900) Activity already replied to.")
        if world.now() >= comment.at + ANSWERED_WITHIN_SECONDS:
            raise GraphError(10903, "(#10903) This user cannot reply to this activity.")
        person = world.people[comment.psid]
        if person.blocked:
            raise GraphError(551, "(#551) This person isn't available right now.", subcode=1545041)
        bubble = world.add_bubble(person, message, by_page=True)
        comment.mid, person.met = bubble.mid, True
        world.keep_comment(comment)
        world.keep_person(person)
        message_arrival.receive(world, bubble)
    return {"recipient_id": person.psid, "message_id": bubble.mid}
