"""Writes past requests as messages of the customer's thread, and the taps on them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from core.conversation.entry_kinds.registry import KINDS
from core.demo.past import PastRequest
from core.messenger import wire

_PAUSE = timedelta(seconds=4)


def conversation(asked: PastRequest, request: dict[str, Any], payload: str) -> list[dict[str, Any]]:
    """The messages around a request, as acts for the simulator. A tap is sent to the webhook."""
    answered = asked.at + _PAUSE
    said = asked.entry_value if KINDS[asked.entry_kind].is_bubble else ""
    bubbles = [
        _bubble(wire.text(asked.story.says), answered, by_page=True),
        _bubble(request, answered, by_page=True, tapped=asked.tapped),
    ]
    if said:
        bubbles.insert(0, _bubble(wire.text(said), asked.at, by_page=False))
    acts: list[dict[str, Any]] = [{"psid": asked.psid, "act": "remember", "bubbles": bubbles}]
    if asked.tapped:
        tap = {"payload": payload, "title": asked.story.promise, "at": (answered + _PAUSE).timestamp()}
        acts.append({"psid": asked.psid, "act": "consent", **tap})
    return acts


def _bubble(message: dict[str, Any], at: Any, *, by_page: bool, tapped: bool = False) -> dict[str, Any]:
    return {"message": message, "at": at.timestamp(), "by_page": by_page, "tapped": tapped}
