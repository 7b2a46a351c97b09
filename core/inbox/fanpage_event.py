"""An event on its way through the handlers that apply it, and what the events of one batch share."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from sqlmodel import Session

from core.conversation.entry_kinds.kind import FoundEntry
from core.customers.unreachable_marks import CustomerKey
from core.messenger.event_fields import RawEvent
from core.messenger.event_kinds import EventKind, base_kind


@dataclass(frozen=True, slots=True, repr=False)
class FanpageEvent:
    """An event of a fanpage that we know, with readable tokens. It has no repr, which would show them."""

    id: int
    fanpage_id: int
    kind: str
    psid: str | None
    at: datetime
    received_at: datetime
    raw: RawEvent
    is_replay: bool = False  # staff replay it, and it was applied before: see effects.py

    @property
    def customer_key(self) -> CustomerKey:
        return self.fanpage_id, self.psid or ""

    @property
    def may_be_response(self) -> bool:
        """Whether somebody wrote or tapped a button: it may be a response to a broadcast."""
        return self.psid is not None and base_kind(self.kind) in (EventKind.MESSAGE, EventKind.POSTBACK)


@dataclass(frozen=True)
class EffectContext:
    """What the events of one batch share: the transaction, the time, and the ids of the customers in it."""

    db: Session
    now: datetime
    customers: dict[CustomerKey, int]
    comments: dict[int, FoundEntry]  # by event: what the bot answers to a comment with
    follow_up_messages: dict[int, int] = field(default_factory=dict)  # that follow a response, by customer id

    def customer_id(self, event: FanpageEvent) -> int:
        return self.customers[event.customer_key]
