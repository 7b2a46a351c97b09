"""A delivery's way out. Today there is one: the one-time token. Topics, consent and broadcasts know none."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Protocol

from core.conversation.rules import personalise, render
from core.deliveries.evidence import metadata_of
from core.messenger import line
from core.messenger.batch import SharedMessage, TokenSend
from core.messenger.client import Answer, Messenger
from core.messenger.errors import Failure, NextStep
from core.sending.claims import Claim


class Sender(Protocol):
    def send(self, messenger: Messenger, content: dict[str, Any], claims: Sequence[Claim]) -> list[Answer]:
        """Send one content to several claims; an answer for each, in order. Never raises for a send."""


class TokenSender:
    """Spends one-time tokens: one API message per token, several messages per Graph batch call."""

    def send(self, messenger: Messenger, content: dict[str, Any], claims: Sequence[Claim]) -> list[Answer]:
        try:
            wording = json.dumps(content)
            sends = [
                TokenSend(c.token, _personal(wording, c.first_name), metadata_of(c.delivery_id))
                for c in claims
            ]
        except (KeyError, TypeError, ValueError) as problem:  # nothing has left yet
            return [Failure(NextStep.END_DELIVERY, "content", detail=type(problem).__name__)] * len(claims)
        return line.judged(messenger, messenger.send_batch(sends))


@lru_cache(maxsize=2048)  # first names come again and again; each entry holds a message, some kilobytes
def _personal(wording: str, first_name: str | None) -> SharedMessage:
    """The message for all of that name."""
    content = json.loads(wording)
    return SharedMessage(personalise(render(content["kind"], content), first_name))
