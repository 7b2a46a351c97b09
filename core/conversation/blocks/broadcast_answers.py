"""What a broadcast offers as answers: quick replies under its block, and the message that follows an answer.

A one-time token carries one message. Whatever else there is to say, the bot says once the customer has
answered: that opens the 24-hour window. Fields: `replies` (core/conversation/blocks/quick_replies.py) and
`after_message_id`; a content without them has neither.
"""

from __future__ import annotations

from typing import Any

from core.conversation.blocks.kind import Content
from core.conversation.blocks.quick_replies import (
    check_replies,
    clean_reply,
    messages_replied,
    render_replies,
    replies_of,
    topics_replied,
)
from core.errors import Problem
from core.messenger import wire

FIELDS = ("replies", "after_message_id")


def clean_answers(content: Content) -> dict[str, Any]:
    replies = [clean_reply(reply) for reply in replies_of(content)]
    after = content.get("after_message_id")
    return {**({"replies": replies} if replies else {}), **({"after_message_id": after} if after else {})}


def check_answers(content: Content) -> list[Problem]:
    replies = replies_of(content)
    return check_replies(replies, may_lead_nowhere=True) if replies else []


def with_replies(message: wire.Message, content: Content) -> wire.Message:
    """The message of the Send API with the quick replies that stand under it."""
    return render_replies(message, replies_of(content))


def messages_after(content: Content) -> set[int]:
    """The messages that its quick replies, or any other answer, lead to."""
    after = content.get("after_message_id")
    return messages_replied(content) | ({after} if after else set())


def topics_after(content: Content) -> set[int]:
    """The topics that its quick replies ask about once more."""
    return topics_replied(content)
