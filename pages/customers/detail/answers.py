"""What the chatbot said to one customer, and the requests that it left out."""

from __future__ import annotations

from core.conversation.asking_queries import WithheldView
from core.conversation.reply_queries import ReplyView
from pages.components.asking_words import withheld_word
from pages.components.broadcast_words import reason_word
from pages.components.layout import section
from pages.components.tables import Badge, Column, Two, table
from pages.components.texts import _

LONGEST = 120  # characters of a message that are shown


def draw_replies(shown: list[ReplyView]) -> None:
    """Draws every message of the chatbot, the latest first."""
    if not shown:
        return
    section(_("What the chatbot answered"))
    columns = [
        Column(_("Message"), _words, "40%"),
        Column(_("State"), lambda r: Badge("reply", r.state)),
        Column(_("When"), lambda r: r.settled_at or r.created_at),
        Column(_("Read"), lambda r: r.read_at),
    ]
    table(columns, shown, key="customer_replies")


def _words(reply: ReplyView) -> object:
    words = reply.words or _("Image")
    words = words if len(words) <= LONGEST else words[: LONGEST - 1] + "…"
    beneath = [_("Request (OTNR)")] if reply.is_request else []
    beneath += [_("Test")] if reply.is_test else []
    beneath += [reason_word(reply.reason)] if reply.reason else []
    return Two(words, " · ".join(beneath)) if beneath else words


def draw_withheld(shown: list[WithheldView]) -> None:
    """The requests that the chatbot left out, by day and reason."""
    if not shown:
        return
    section(_("Requests not sent"))
    columns = [
        Column(_("Topic"), lambda w: Two(w.topic, withheld_word(w.reason)), "40%", wraps=True),
        Column(_("Times"), lambda w: w.times),
        Column(_("Last time"), lambda w: w.last_at),
    ]
    table(columns, shown, key="customer_withheld")
