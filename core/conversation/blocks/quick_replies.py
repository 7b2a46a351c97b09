"""A text with quick replies, which vanish as soon as something follows.

Fields: `text`, `fallback`, `replies`.
Each reply has a `title` and a `message_id`: the message that answers it.
"""

from __future__ import annotations

from typing import Any, ClassVar

from core.conversation.blocks.bubble import Bubble, Shape
from core.conversation.blocks.choices import Choice, ChoiceKind, titles_of
from core.conversation.blocks.kind import Content
from core.conversation.blocks.titles import check_title, clean_title
from core.conversation.blocks.wording import said, write_wording
from core.conversation.payloads import MESSAGE_PAYLOAD
from core.errors import N_, Problem, problem
from core.messenger import wire


class QuickReplies(ChoiceKind):
    name = "quick_replies"
    listed = "replies"
    text_limit = wire.TEXT_LIMIT
    blank: ClassVar[Content] = {"replies": [{}]}

    def clean_choice(self, choice: Choice) -> dict[str, Any]:
        return {"title": clean_title(choice), "message_id": choice.get("message_id")}

    def check_choices(self, choices: list[Choice]) -> list[Problem]:
        limit = wire.QUICK_REPLIES_LIMIT
        if not 1 <= len(choices) <= limit:
            return [problem("replies", N_("Between 1 and {limit} quick replies, please."), limit=limit)]
        found = []
        for place, reply in enumerate(choices):
            found += check_title(f"replies.{place}.title", reply.get("title"), wire.QUICK_REPLY_TITLE_LIMIT)
            if not reply.get("message_id"):
                words = N_("Choose the message that answers this quick reply.")
                found.append(problem(f"replies.{place}.message_id", words))
        return found

    def warn_when_followed(self) -> list[Problem]:
        words = N_("Quick replies vanish as soon as another block follows; put them last.")
        return [problem("replies", words)]

    def render(self, content: Content) -> wire.Message:
        return wire.quick_replies(write_wording(content), [_reply(each) for each in self.choices_of(content)])

    def draw(self, message: wire.Message) -> list[Bubble]:
        replies = message.get("quick_replies")
        return [Bubble(Shape.QUICK_REPLIES, said(message, "text"), titles_of(replies))] if replies else []


def _reply(reply: Choice) -> wire.QuickReply:
    return wire.QuickReply(said(reply, "title"), f"{MESSAGE_PAYLOAD}{reply.get('message_id')}")
