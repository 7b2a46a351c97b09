"""Makes one call: decides in the last moment what of it may still leave, sends that, names the outcomes."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from typing import Any

import structlog

from core.clicks.short_links import with_links_of_reply
from core.conversation.placeholders import personalise
from core.db.engine import DATABASE_TROUBLE
from core.deliveries.evidence import metadata_of_reply
from core.messenger import connection_check, wire
from core.messenger.client import GraphRefused, Messenger, Profile
from core.messenger.errors import Failure, NextStep
from core.messenger.mixed_call_switch import MixedCallSwitch
from core.pictures.attachments import attachment_of
from core.pictures.rules import with_pictures
from core.sending.calls.connections import Connections
from core.sending.calls.grouping import Call, Returned
from core.sending.claims import LEASE
from core.sending.replies.claims import OUR_ERROR, ReplyClaim
from core.sending.replies.settling import ReplyOutcome
from core.sending.senders.sender import Claim
from core.sending.settling import Outcome
from core.sending.work_snapshot import SendingBroadcast, Snapshot, WorkSnapshots

log = structlog.get_logger(__name__)

OLDEST_SECONDS = 0.8  # nothing leaves on a work snapshot from longer ago
YOUNG_SECONDS = 0.6  # one from so long ago is read again first
# An answer follows so soon after its "typing" has left, or sooner if that is answered.
TYPING_SECONDS = 0.02
TYPING_LEAVES_WITHIN_SECONDS = 1.0  # else the answer leaves without it


class CallRunner:
    """Makes the calls of the sending loop, in the threads of its pool; `carry` never raises for a send."""

    def __init__(
        self,
        connections: Connections,
        snapshots: WorkSnapshots,
        *,
        clock: Callable[[], datetime],
        stop: threading.Event,
        still_ours: Callable[[float], bool],
        mixed_calls: MixedCallSwitch,
    ) -> None:
        self._connections = connections
        self._snapshots = snapshots
        self._clock = clock
        self._stop = stop
        self._still_ours = still_ours
        self._mixed_calls = mixed_calls

    def carry(self, call: Call) -> list[Returned]:
        """Send what may leave, and return what became of each message of the call. A claim that comes back as
        it was has not been put on the wire."""
        if isinstance(call[0], ReplyClaim):
            return [self._send_reply(call[0])]
        return self._send_deliveries([claim for claim in call if isinstance(claim, Claim)])

    def _send_deliveries(self, claims: Sequence[Claim]) -> list[Returned]:
        """Write these messages, all of one sender, and send what may leave then. One that cannot be written
        is refused by itself, or stays here, and does not delay the others."""
        sender, began = claims[0].sender, self._clock()
        returned: list[Returned] = []
        written: list[tuple[Claim, Any]] = []
        for claim in claims:
            item = self._written(claim)
            if isinstance(item, Failure):
                returned.append(Outcome(claim, item, began, began))
            elif item is None:
                returned.append(claim)
            else:
                written.append((claim, item))
        items: list[tuple[Messenger, Any]] = []
        theirs: list[Claim] = []
        looks = self._connections_to_leave_by([claim for claim, _ in written])
        for (claim, item), connection in zip(written, looks, strict=True):
            if connection is None:
                returned.append(claim)
            else:
                theirs.append(claim)
                items.append((connection, item))

        def may_leave(place: int) -> bool:  # by what is known then
            return self._may_still_leave(theirs[place])

        try:
            answers = sender.send(items, self._mixed_calls, may_leave) if items else []
        except Exception as problem:  # a defect of ours must not lose the outcome
            answers = [_defect(NextStep.IN_DOUBT, problem)] * len(theirs)  # the call may have left
        ended = self._clock()
        for claim, answer in zip(theirs, answers, strict=True):
            returned.append(claim if answer is None else Outcome(claim, answer, began, ended))
        return returned

    def _written(self, claim: Claim) -> Any:
        """See `_written`; None also for what could not leave now anyway."""
        broadcast = _broadcast_of(claim, self._snapshots.latest)
        connection = self._connections.of(claim.fanpage_id)
        if broadcast is None or connection is None:
            return None
        return _written(partial(claim.sender.write, broadcast.content, claim, connection.link_address))

    def _connections_to_leave_by(self, claims: Sequence[Claim | ReplyClaim]) -> list[Messenger | None]:
        """For each of these messages the connection to Messenger by which it may leave now. None when it must
        not leave (a pause, a stop, an old work snapshot, a claim that may be lost), or when its fanpage has
        none."""
        snapshot = self._young_snapshot()
        steady, now = time.monotonic(), self._clock()
        # Else this process stood still, and what it knew may have changed.
        if self._stop.is_set() or steady - snapshot.at > OLDEST_SECONDS:
            return [None] * len(claims)
        # Too old when it waited for a thread: the answer might come after the lease.
        sound = {
            at
            for at in {claim.claimed_steady for claim in claims}
            if self._still_ours(at) and steady - at < LEASE.total_seconds() / 2
        }
        return [
            self._connections.of(claim.fanpage_id)
            if claim.claimed_steady in sound and _may_leave(claim, snapshot, now)
            else None
            for claim in claims
        ]

    def _send_reply(self, claim: ReplyClaim) -> Returned:
        """Send one reply; before that ask for the customer's name, if the text needs it and it was never
        asked for. What waits for the customer's language is not sent."""
        (connection,) = self._connections_to_leave_by([claim])
        if connection is None:
            return claim
        name, profile, asked = claim.first_name, None, False
        waits_for_language = claim.begins_with is not None
        if not claim.knows_profile and (waits_for_language or "{{" in json.dumps(claim.body)):
            asked, profile = _ask_profile(connection, claim)
            name = profile.first_name if profile else name
        if waits_for_language:
            return ReplyOutcome(claim, None, profile, asked)
        body = _written(partial(_body_of_reply, claim, name, connection.link_address))
        if isinstance(body, Failure):
            return ReplyOutcome(claim, body, profile, asked)
        if body is not None and claim.begins_answer and not claim.counted_attempts:
            _show_typing(connection, claim)
        if body is None or not self._may_still_leave(claim):
            return ReplyOutcome(claim, None, profile, asked)
        try:
            (answer,) = connection_check.attribute_refusals(connection, [connection.send(body)])
        except Exception as problem:
            answer = _defect(NextStep.IN_DOUBT, problem)
        return ReplyOutcome(claim, answer, profile, asked, answered_at=self._clock())

    def _may_still_leave(self, claim: Claim | ReplyClaim) -> bool:
        """Whether it may leave by what is known now, after what was done for it in the meantime."""
        return self._connections_to_leave_by([claim]) != [None]

    def _young_snapshot(self) -> Snapshot:
        """The latest snapshot, read again when it is about to be too old for anything to leave on it."""
        try:
            return self._snapshots.fresh(YOUNG_SECONDS)
        except DATABASE_TROUBLE as problem:
            log.warning("database_unavailable", error=type(problem).__name__)
        except Exception:  # nothing leaves on an old one; the claims are handed back
            log.exception("snapshot_failed")
        return self._snapshots.latest


def _may_leave(claim: Claim | ReplyClaim, snapshot: Snapshot, now: datetime) -> bool:
    """Whether the claim's fanpage may send, and its broadcast is sending and not past its best-before."""
    if not snapshot.may_send(claim.fanpage_id, at=now.timestamp()):
        return False
    if isinstance(claim, ReplyClaim):
        return True
    sending = _broadcast_of(claim, snapshot)
    return sending is not None and (sending.best_before is None or now < sending.best_before)


def _broadcast_of(claim: Claim, snapshot: Snapshot) -> SendingBroadcast | None:
    work = snapshot.fanpages.get(claim.fanpage_id)
    return work.broadcasts.get(claim.broadcast_id) if work else None


def _body_of_reply(claim: ReplyClaim, first_name: str | None, link_address: str) -> wire.Body:
    body = with_pictures(claim.body, link_address, attachment_of)
    body = with_links_of_reply(body, link_address, claim.reply_id)
    message = wire.with_metadata(personalise(body, first_name), metadata_of_reply(claim.reply_id))
    if claim.comment_id is None:
        return wire.send_to_psid(claim.psid, message)
    return wire.send_to_comment(claim.comment_id, message)


def _ask_profile(messenger: Messenger, claim: ReplyClaim) -> tuple[bool, Profile | None]:
    """Whether the platform said something about the customer, if only a refusal, and what. If it did not,
    they are asked for another time."""
    try:
        return True, messenger.profile(claim.psid)
    except GraphRefused as refusal:
        log.warning("profile_not_learnt", fanpage_id=claim.fanpage_id, error=refusal.failure.reason)
    except Exception as problem:  # a defect of ours: nothing has left, so the reply still may
        log.error("profile_failed", fanpage_id=claim.fanpage_id, error=type(problem).__name__)
    return False, None


def _show_typing(messenger: Messenger, claim: ReplyClaim) -> None:
    """Show the customer that we are typing: it leaves before the answer does, which does not wait until the
    platform has said something about it."""
    has_left = threading.Event()
    call = partial(_call_typing, messenger, claim, has_left)
    typing = threading.Thread(target=call, name="typing", daemon=True)
    try:
        typing.start()
    except RuntimeError:  # the system has no thread left: the answer goes without
        log.exception("typing_not_started", fanpage_id=claim.fanpage_id)
        return
    has_left.wait(TYPING_LEAVES_WITHIN_SECONDS)
    typing.join(TYPING_SECONDS)


def _call_typing(messenger: Messenger, claim: ReplyClaim, has_left: threading.Event) -> None:
    try:
        messenger.show_typing(claim.psid, on_left=has_left.set)
    except Exception as problem:  # a defect of ours: the reply goes without
        log.error("typing_failed", fanpage_id=claim.fanpage_id, error=type(problem).__name__)
    finally:
        has_left.set()  # or never will


def _written(write: Callable[[], Any]) -> Any:
    """What `write` makes; a Failure when that cannot be sent; None when the database could not be asked, for
    then it may be written at the next claim. Nothing has left in either case, so nothing is in doubt."""
    try:
        return write()
    except DATABASE_TROUBLE as problem:
        log.warning("database_unavailable", error=type(problem).__name__)
        return None
    except (KeyError, TypeError, ValueError) as problem:
        return Failure(NextStep.END_DELIVERY, "content", detail=type(problem).__name__)
    except Exception as problem:
        return _defect(NextStep.RETRY_LATER, problem)


def _defect(step: NextStep, problem: Exception) -> Failure:
    """The answer when our own code failed."""
    log.error("send_failed", error=type(problem).__name__)
    return Failure(step, OUR_ERROR, detail=type(problem).__name__)
