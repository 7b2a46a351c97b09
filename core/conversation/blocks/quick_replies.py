"""A text with quick replies, which vanish as soon as something follows.

Fields: `text`, `fallback`, `replies`.
Each reply has a `title` and a `message_id`, the message that answers it; or it `asks` for the customer's
"email" or "phone", which Messenger fills in; or it has a `title` and `asks_topic`, the topic about which the
bot asks for an opt-in once more. A broadcast of any kind may have such replies under it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from core.conversation.blocks.bubble import Bubble, Shape
from core.conversation.blocks.button_kinds import messages_behind, topics_asked_by
from core.conversation.blocks.button_titles import check_title, clean_title
from core.conversation.blocks.choices import Choice, ChoiceKind
from core.conversation.blocks.kind import Content, text_in
from core.conversation.blocks.personal_text import write_personal_text
from core.conversation.payloads import ANSWER_PAYLOAD, ASK_PAYLOAD, MESSAGE_PAYLOAD
from core.errors import N_, Problem, problem
from core.messenger import message_limits, wire

ASKS = ("email", "phone")


class QuickReplies(ChoiceKind):
    name = "quick_replies"
    listed = "replies"
    text_limit = message_limits.TEXT_LIMIT
    blank: ClassVar[Content] = {"replies": [{}]}

    def clean_choice(self, choice: Choice) -> dict[str, Any]:
        return clean_reply(choice)

    def check_choices(self, choices: list[Choice]) -> list[Problem]:
        return check_replies(choices)

    def warn_when_followed(self) -> list[Problem]:
        words = N_("Quick replies disappear as soon as another block follows; put them last.")
        return [problem("replies", words)]

    def topic_ids(self, content: Content) -> set[int]:
        return topics_asked_by(self.choices_of(content))

    def asked_topics(self, content: Content) -> set[int]:
        return topics_asked_by(self.choices_of(content))

    def render(self, content: Content) -> wire.Message:
        return render_replies(wire.text(write_personal_text(content)), self.choices_of(content))

    def draw(self, message: wire.Message) -> list[Bubble]:
        return [Bubble(Shape.TEXT, text_in(message, "text"))] if message.get("quick_replies") else []


def replies_of(content: Content) -> list[Choice]:
    return list(content.get("replies") or [])


def clean_reply(reply: Choice) -> dict[str, Any]:
    if reply.get("asks"):
        return {"asks": reply["asks"]}
    if reply.get("asks_topic"):
        return {"title": clean_title(reply), "asks_topic": reply["asks_topic"]}
    return {"title": clean_title(reply), "message_id": reply.get("message_id")}


def check_replies(replies: Sequence[Choice], *, may_lead_nowhere: bool = False) -> list[Problem]:
    """What is wrong with the list or one of them; `may_lead_nowhere` when what follows is said elsewhere."""
    limit = message_limits.QUICK_REPLIES_LIMIT
    if not 1 <= len(replies) <= limit:
        return [problem("replies", N_("Add 1 to {limit} quick replies."), limit=limit)]
    found = []
    for place, reply in enumerate(replies):
        found += _check_reply(f"replies.{place}", reply, may_lead_nowhere)
    asked = [reply["asks"] for reply in replies if reply.get("asks")]
    if len(asked) > len(set(asked)):
        found.append(problem("replies", N_("The customer's email or phone number is asked for twice.")))
    return found


def _check_reply(path: str, reply: Choice, may_lead_nowhere: bool) -> list[Problem]:
    if asks := reply.get("asks"):
        words = N_("A quick reply asks for “email” or “phone”, not for “{value}”.")
        return [] if asks in ASKS else [problem(f"{path}.asks", words, value=str(asks)[:40])]
    found = check_title(f"{path}.title", reply.get("title"), message_limits.QUICK_REPLY_TITLE_LIMIT)
    leads_somewhere = reply.get("message_id") or reply.get("asks_topic")
    if not leads_somewhere and not may_lead_nowhere:
        words = N_("Choose the message that answers this quick reply.")
        found.append(problem(f"{path}.message_id", words))
    return found


def render_replies(message: wire.Message, replies: Sequence[Choice]) -> wire.Message:
    """The message of the Send API with these quick replies under it."""
    return wire.with_quick_replies(message, [_reply(reply) for reply in replies])


def messages_replied(content: Content) -> set[int]:
    """The messages that the quick replies under a broadcast lead to."""
    return messages_behind(replies_of(content))


def topics_replied(content: Content) -> set[int]:
    """The topics that the quick replies under a broadcast ask about once more."""
    return topics_asked_by(replies_of(content))


def _reply(reply: Choice) -> wire.QuickReply:
    if reply.get("asks"):
        return wire.QuickReply(asks=str(reply["asks"]))
    if reply.get("asks_topic"):
        return wire.QuickReply(text_in(reply, "title"), f"{ASK_PAYLOAD}{reply['asks_topic']}")
    leads_to = reply.get("message_id")
    payload = f"{MESSAGE_PAYLOAD}{leads_to}" if leads_to else ANSWER_PAYLOAD
    return wire.QuickReply(text_in(reply, "title"), payload)
