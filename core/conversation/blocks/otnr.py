"""The one-time notification request: asks for an opt-in about a topic. Fields: `title`, `title_b`, `after`.

The title is the promise. Messenger draws the button "Notify Me" under it, in each customer's language.
With `title_b` half of the customers read that one instead: core/conversation/wording_tests.py.
`after` is what the bot answers when it is tapped; it may be empty, and may hold first-name placeholders.
"""

from __future__ import annotations

from typing import Any

from core.conversation.blocks.bubble import Bubble, Shape
from core.conversation.blocks.button_titles import clean_title
from core.conversation.blocks.kind import AskingKind, Content, Promise, text_in
from core.conversation.blocks.message_file_block import FileBlock
from core.conversation.blocks.personal_text import check_text
from core.conversation.drafts import BlockDraft
from core.conversation.promises import check_promise, warn_promise, warn_topic
from core.conversation.wording_tests import OTHER_TITLE
from core.errors import N_, Problem, problem
from core.messenger import message_limits, wire
from core.text.normalise import is_blank, normalise_text


class Otnr(AskingKind):
    name = "otnr"

    def clean(self, content: Content) -> dict[str, Any]:
        title, other = clean_title(content), clean_title({"title": text_in(content, OTHER_TITLE)})
        both = {OTHER_TITLE: other} if other and other != title else {}
        return {"title": title, **both, "after": normalise_text(text_in(content, "after"))}

    def check(self, block: BlockDraft) -> list[Problem]:
        title, after = text_in(block.content, "title"), text_in(block.content, "after")
        other = text_in(block.content, OTHER_TITLE)
        found = _check_title(title)
        if not is_blank(other):
            found += _of_other(_check_title(other))
        if block.topic_id is None:
            found.append(problem("topic_id", N_("Choose the topic that this promise belongs to.")))
        return found + (
            check_text("after", after, "", message_limits.TEXT_LIMIT) if not is_blank(after) else []
        )

    def warn(self, content: Content) -> list[Problem]:
        other = text_in(content, OTHER_TITLE)
        found = [] if is_blank(other) else _of_other(warn_promise(other))
        return warn_promise(text_in(content, "title")) + found

    def warn_topic(self, content: Content, topic_name: str) -> list[Problem]:
        other = text_in(content, OTHER_TITLE)
        found = [] if is_blank(other) else _of_other(warn_topic(other, topic_name))
        return warn_topic(text_in(content, "title"), topic_name) + found

    def promise(self, content: Content) -> Promise:
        return Promise(text_in(content, "title"), text_in(content, "after"))

    def render_request(self, content: Content, payload: str) -> wire.Message:
        return wire.one_time_request(text_in(content, "title"), payload)

    def draw(self, message: wire.Message) -> list[Bubble]:
        payload = wire.template_of(message, wire.ONE_TIME_REQUEST)
        return [] if payload is None else [Bubble(Shape.REQUEST, text_in(payload, "title"))]

    def read(self, given: FileBlock) -> BlockDraft:
        return BlockDraft(self.name, given.texts(), given.topic())

    def write(self, content: Content, topic_name: str | None) -> dict[str, Any]:
        return {**super().write(content, topic_name), "topic": topic_name}


def _check_title(title: str) -> list[Problem]:
    found = check_promise(title)
    if "{{" in title:
        found.append(problem("title", N_("A promise is the same for everybody: it can't contain names.")))
    return found


def _of_other(found: list[Problem]) -> list[Problem]:
    """The same said of the second wording."""
    return [Problem(OTHER_TITLE, each.template, each.values) for each in found]
