"""A delivery's way out. Today there is one: the one-time token. Topics, consent and broadcasts know none."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Protocol

from core.conversation.rules import personalise, render
from core.deliveries.evidence import metadata_of
from core.messenger.batch import SharedMessage, TokenSend
from core.sending.claims import Claim


class Sender(Protocol):
    def item(self, wording: str, claim: Claim) -> TokenSend:
        """The message as an item of a batch call, from its content as JSON. KeyError, TypeError or ValueError
        when it cannot be written."""


class TokenSender:
    """Spends one-time tokens: one API message per token."""

    def item(self, wording: str, claim: Claim) -> TokenSend:
        return TokenSend(claim.token, _personal(wording, claim.first_name), metadata_of(claim.delivery_id))


@lru_cache(maxsize=2048)  # first names come again and again; each entry holds a message, some kilobytes
def _personal(wording: str, first_name: str | None) -> SharedMessage:
    """The message for all of that name."""
    content = json.loads(wording)
    return SharedMessage(personalise(render(content["kind"], content), first_name))
