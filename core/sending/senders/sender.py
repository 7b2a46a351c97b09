"""The interface of a sender: how one kind of message is prepared, sent and judged; and the claim that it
sends.

Everything that differs between two kinds of message is behind `Sender`; the rest of the code never asks which
one it has. See docs/decisions/0041.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple, Protocol

from sqlalchemy import Select
from sqlmodel import Session

from core.clicks.codes import LinkId, Sent, code_of
from core.clicks.rules import PLACES, links_in
from core.clicks.short_links import with_short_links
from core.conversation.placeholders import personalise
from core.conversation.rules import render
from core.deliveries.rules import OptInMove, Verdict
from core.messenger.batch import SharedMessage
from core.messenger.client import Messenger
from core.messenger.errors import Failure
from core.messenger.mixed_call_switch import MixedCallSwitch
from core.messenger.mixed_calls import MayLeave
from core.messenger.send_responses import Answer
from core.messenger.wire import Message
from core.pictures.attachments import attachment_of
from core.pictures.rules import attached_picture, with_pictures

Row = Sequence[Any]  # what `Sender.with_needs` adds to a delivery


class Prepared(NamedTuple):
    """What becomes of one delivery that is being claimed."""

    sender: Sender  # who carries it
    needs: Any  # `Claim.needs`
    unfit: Verdict | None = None  # how it ends, if it is not fit to be sent
    spared_opt_in_id: int | None = None  # given back by the claim: the delivery goes without it


class Sender(Protocol):
    """How one kind of message is sent. It has no state of its own, and is asked on several threads."""

    name: str  # as the broadcast keeps it
    # Whether the platform takes such a message only once, however often it is sent. Only then it shares calls
    # with those of other fanpages, and is tried again after an attempt that may have reached the customer.
    is_guarded: bool

    def __hash__(self) -> int: ...

    def with_needs(self, deliveries: Select[Any]) -> Select[Any]:
        """The query of the deliveries that wait, with the columns that it needs of each added. Customers are
        joined to it afterwards."""

    def prepare(self, rows: Sequence[Row], now: datetime) -> list[Prepared]:
        """What becomes of each of the deliveries that are being claimed, given just those columns. A sender
        may leave some of them to another."""

    def write(self, content_json: str, claim: Claim, link_address: str = "") -> Any:
        """The message of a broadcast (its content as JSON) as an item for `send`. Its links go by way of
        `link_address`, if there is one. KeyError, TypeError or ValueError when it cannot be written; what the
        database raises when that cannot be asked now."""

    def send(
        self, items: Sequence[tuple[Messenger, Any]], mixed_calls: MixedCallSwitch, may_leave: MayLeave, /
    ) -> Sequence[Answer | None]:
        """One answer per item, in order, each charged to whom it belongs. Of a sender that is not guarded
        there is one item at a time. No transaction is open. `may_leave` is asked before each further call
        whether the item in that place still may; None is the answer for what was kept here."""

    def judge(self, db: Session, claim: Claim, failure: Failure, now: datetime, /) -> Verdict:
        """What a refusal means for the delivery. Judged in the transaction that settles it; those that were
        never in doubt come before the others."""

    def move(self, db: Session, claims: Sequence[Claim], opt_in_move: OptInMove, now: datetime) -> None:
        """Do to what these claims hold what their verdict says: spend, release, refuse or keep it."""


@dataclass(slots=True, repr=False)
class Claim:
    """One delivery in our hands, never changed. What its sender needs may be secret: no repr, no log."""

    delivery_id: int
    fanpage_id: int
    broadcast_id: int
    customer_id: int  # of somebody who was forgotten there is none: such a claim only ends
    first_name: str | None
    claim_number: int  # counts every claim of the delivery, from 1; the column is `attempt`
    counted_attempts: int  # those before this one that count; the column is `tries`
    in_doubt: bool
    sender: Sender
    needs: Any  # as the sender has prepared it, and for it alone
    claimed_steady: float = 0.0  # monotonic time from before the claim
    claimed_at: datetime | None = None  # with worker and claim number: the fence against another claim


def shared_message(content_json: str, claim: Claim, link_address: str) -> SharedMessage:
    """The message of a broadcast (its content as JSON) for one customer. Raises what the database raises,
    which knows what Messenger calls an uploaded picture."""
    picture, links = parts_of(content_json)
    attachment = attachment_of(picture) if picture else None
    shared = _for_name(content_json, claim.first_name, link_address, attachment)
    if not (link_address and links):
        return shared
    codes = {
        _stand_in(place): code_of(LinkId(Sent.DELIVERY, claim.delivery_id, place)) for place in range(links)
    }
    return shared.with_words(codes)


def message_for(
    content_json: str, first_name: str | None, link_address: str = "", attachment: str | None = None
) -> Message:
    """The message for somebody of that name; `attachment` is what Messenger calls its uploaded picture. In
    its short links a stand-in takes the place of each code."""
    content = json.loads(content_json)
    message = with_pictures(render(content["kind"], content), link_address, lambda _name: attachment)
    if link_address:
        message = with_short_links(message, link_address, _stand_in)
    return personalise(message, first_name)


@lru_cache(maxsize=2048)  # first names come again and again; each entry holds a message, some kilobytes
def _for_name(
    content_json: str, first_name: str | None, link_address: str, attachment: str | None
) -> SharedMessage:
    return SharedMessage(message_for(content_json, first_name, link_address, attachment))


@lru_cache(maxsize=256)
def parts_of(content_json: str) -> tuple[str | None, int]:
    """The uploaded picture that a message may show as an attachment, and how many links it has."""
    content = json.loads(content_json)
    message = render(content["kind"], content)
    return attached_picture(message), min(PLACES, len(links_in(message)))


def _stand_in(place: int) -> str:
    return f"otn-link-{place:02d}-per-person"
