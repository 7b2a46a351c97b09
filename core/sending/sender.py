"""A delivery's way out. Today there is one: the one-time token. Topics, consent and broadcasts know none."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from core.conversation.rules import personalise, render
from core.messenger import wire
from core.messenger.client import Answer, Messenger
from core.messenger.errors import Failure, NextStep
from core.sending.claims import Claim
from core.sending.evidence import metadata_of


class Sender(Protocol):
    def send(self, messenger: Messenger, content: dict[str, Any], claims: Sequence[Claim]) -> list[Answer]:
        """Send one content to several claims; an answer for each, in order. Never raises for a send."""


class TokenSender:
    """Spends one-time tokens: one API message per token, several messages per Graph batch call."""

    def send(self, messenger: Messenger, content: dict[str, Any], claims: Sequence[Claim]) -> list[Answer]:
        try:
            rendered = render(content["kind"], content)
            bodies = [self._body(rendered, claim) for claim in claims]
        except (KeyError, TypeError, ValueError) as problem:  # nothing has left yet
            return [Failure(NextStep.END_DELIVERY, "content", detail=type(problem).__name__)] * len(claims)
        return messenger.send_batch(bodies)

    def _body(self, rendered: dict[str, Any], claim: Claim) -> dict[str, Any]:
        message = personalise(rendered, claim.first_name)
        message = wire.with_metadata(message, metadata_of(claim.delivery_id))
        return wire.send_to_token(claim.token, message)
