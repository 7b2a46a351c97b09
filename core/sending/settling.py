"""Settles outcomes of any fanpages in one transaction: states, opt-ins, customers, fanpages.

An acceptance always counts, whoever has claimed the delivery now. Any other outcome counts only while the
claim is still ours, or when its lease ran out and nobody has claimed the delivery since: the number of the
attempt and the delivery's state tell.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from core.customers import unreachable_marks
from core.db import row_locks
from core.db.engine import transaction, wait_for_locks
from core.deliveries import attempts, closing, evidence, recent_outcomes
from core.deliveries import ledger as delivery_ledger
from core.deliveries.attempts import Attempt
from core.deliveries.breaker import Recent, Refusal
from core.deliveries.recent_outcomes import Key, Scope
from core.deliveries.rules import UNREACHABLE_REASONS, DeliveryState, OptInMove, Verdict
from core.messenger.errors import Failure, NextStep
from core.messenger.send_responses import Accepted, Answer
from core.sending.limits import allowance, breaker_trip, fanpage_limits
from core.sending.rules import PATIENCE_OF_ALL, accepted, set_aside
from core.sending.senders.sender import Claim, Sender

# Outcomes that the breaker counts, beside what was accepted; "sent" concluded from a refusal says nothing.
_COUNTED = (DeliveryState.FAILED, DeliveryState.UNKNOWN)
_AFTER_DOUBT = accepted(in_doubt=True).evidence

Refused = tuple[Claim, Failure]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a claimed delivery that was put on the wire."""

    claim: Claim
    answer: Answer
    started_at: datetime | None = None  # of the call
    answered_at: datetime | None = None

    @property
    def fanpage_id(self) -> int:
        """The fanpage that the claim is of."""
        return self.claim.fanpage_id


def settle(outcomes: Sequence[Outcome], *, now: datetime) -> None:
    """Record what became of these claims, then let the breaker judge it.

    Raises whatever the database raises; then nothing is recorded, unless it was the commit that failed.
    Repeating it changes no delivery and no opt-in; only the calls and the outcomes of late are counted again.
    A locked row is waited for 200 ms.
    """
    if not outcomes:
        return
    outcomes = sorted(outcomes, key=lambda each: each.answered_at or now)
    acceptances = [o for o in outcomes if isinstance(o.answer, Accepted)]
    calls = Counter([o.claim.fanpage_id for o in outcomes])
    with transaction() as db:
        wait_for_locks(db, PATIENCE_OF_ALL)
        refused = _refused(db, outcomes, calls) if len(acceptances) < len(outcomes) else []
        failures = fanpage_limits.by_fanpage(refused)
        any_marked = _lock_rows(db, outcomes, acceptances, refused, failures)
        _settle_accepted(db, acceptances, now)
        recorded = _settle_refused(db, refused, now)
        _mark_unreachable(db, outcomes, recorded, now)
        # When the call began; where that is unknown the claim, which is older.
        began = [(o.claim, o.started_at or o.claim.claimed_at or now) for o in acceptances]
        accepted_at = [(claim.fanpage_id, claim.customer_id, at) for claim, at in began]
        unreachable_marks.record_acceptances(db, accepted_at, any_marked=any_marked)
        attempts.keep(db, _attempts_worth_keeping(outcomes), now=now)
        concluded = [claim for claim, verdict in recorded if verdict.state == DeliveryState.SENT]
        evidence.catch_up(db, [c.delivery_id for c in (*(o.claim for o in acceptances), *concluded)])
        fanpage_limits.follow_up(db, failures, now)
        if refused:  # what went back to the queue of a broadcast that has ended meanwhile ends with it
            broadcast_ids = {claim.broadcast_id for claim, _ in refused}
            closing.end_if_over(db, broadcast_ids, {claim.delivery_id for claim, _ in refused}, now)
        allowance.note_calls(db, calls, now=now)
        recent = recent_outcomes.note(db, _counted(outcomes, recorded))
    stopped = fanpage_limits.stopped_by(failures)
    breaker_trip.judge_fanpages(_by_fanpage(recent, recorded), stopped=stopped, now=now)


def _attempts_worth_keeping(outcomes: Sequence[Outcome]) -> list[Attempt]:
    """The attempts behind these outcomes, but for those that were accepted at the first claim."""
    return [
        Attempt(o.claim.delivery_id, o.claim.claim_number, o.answer, o.started_at, o.answered_at)
        for o in outcomes
        if isinstance(o.answer, Failure) or o.claim.claim_number > 1
    ]


def _counted(
    outcomes: Sequence[Outcome], recorded: Sequence[tuple[Claim, Verdict]]
) -> dict[Key, list[Refusal | None]]:
    """What the breaker counts by its keys, in the order of the answers; None for an acceptance."""
    ended = {
        c.delivery_id: Refusal(0, v.reason or "", c.broadcast_id, c.delivery_id, c.customer_id)
        for c, v in recorded
        if v.state in _COUNTED
    }
    found: dict[Key, list[Refusal | None]] = defaultdict(list)
    for each in outcomes:
        claim, one = each.claim, ended.get(each.claim.delivery_id)
        if one is not None or isinstance(each.answer, Accepted):
            found[Scope.FANPAGE, claim.fanpage_id].append(one)
            found[Scope.BROADCAST, claim.broadcast_id].append(one)
    return found


def _by_fanpage(
    recent: Mapping[Key, Recent], recorded: Sequence[tuple[Claim, Verdict]]
) -> dict[int, dict[Key, Recent]]:
    """What the breaker judges: by fanpage what is known of it, then of its broadcasts."""
    found: dict[int, dict[Key, Recent]] = defaultdict(dict)
    for claim, _ in recorded:
        for key in ((Scope.FANPAGE, claim.fanpage_id), (Scope.BROADCAST, claim.broadcast_id)):
            if key in recent:
                found[claim.fanpage_id][key] = recent[key]
    return found


def _refused(db: Session, outcomes: Sequence[Outcome], calls: Mapping[int, int]) -> list[Refused]:
    """The refusals. One that has stopped its fanpage before, for the same delivery, may be set aside: then it
    ends that delivery only. `calls` counts the outcomes of each fanpage."""
    refused = [(o.claim, o.answer) for o in outcomes if isinstance(o.answer, Failure)]
    stops = [(c, f) for c, f in refused if f.step == NextStep.STOP_FANPAGE and f.connection_works]
    again = attempts.refused_before(db, {c.delivery_id: f.reason for c, f in stops})
    alike = Counter((c.fanpage_id, f.reason) for c, f in stops)
    return [
        (c, set_aside(f, alike=alike[c.fanpage_id, f.reason], among=calls[c.fanpage_id]))
        if c.delivery_id in again
        else (c, f)
        for c, f in refused
    ]


def _lock_rows(
    db: Session,
    outcomes: Sequence[Outcome],
    acceptances: Sequence[Outcome],
    refused: Sequence[Refused],
    failures: Mapping[int, Sequence[Failure]],
) -> bool:
    """Lock every row that will change, in the order that all keep, see row_locks.py. What was accepted is
    changed by one statement in the order of the ids and needs no lock before. Returns whether those who were
    reached may have marks."""
    reached = {o.claim.customer_id for o in acceptances}
    if not refused:
        return unreachable_marks.lock_marked(db, reached)
    fanpage_limits.lock_what_stops(db, failures)
    row_locks.lock_broadcasts(db, {claim.broadcast_id for claim, _ in refused})
    unreachable = [claim for claim, failure in refused if failure.reason in UNREACHABLE_REASONS]
    row_locks.lock_customers(db, {claim.customer_id for claim in unreachable}, marked=reached)
    row_locks.lock_deliveries(db, {outcome.claim.delivery_id for outcome in outcomes})
    return True


def _settle_accepted(db: Session, outcomes: Sequence[Outcome], now: datetime) -> None:
    """Accepted deliveries are sent and their opt-ins spent, in the order of the ids, as everybody locks."""
    if not outcomes:
        return
    in_order = sorted(outcomes, key=lambda each: each.claim.delivery_id)
    rows = [
        (o.claim.delivery_id, o.answer.mid[:200], _AFTER_DOUBT if o.claim.in_doubt else None)
        for o in in_order
        if isinstance(o.answer, Accepted)
    ]
    delivery_ledger.accept(db, rows, now=now)
    for sender, claims in _by_sender([o.claim for o in in_order]).items():
        sender.move(db, claims, OptInMove.SPEND, now)


def _by_sender(claims: Sequence[Claim]) -> dict[Sender, list[Claim]]:
    found: dict[Sender, list[Claim]] = {}
    for claim in claims:
        found.setdefault(claim.sender, []).append(claim)
    return found


def _settle_refused(db: Session, refused: Sequence[Refused], now: datetime) -> list[tuple[Claim, Verdict]]:
    """Record refusals; return the claims recorded, with verdicts."""
    recorded = []
    for claim, failure in sorted(refused, key=lambda each: each[0].in_doubt):
        verdict = claim.sender.judge(db, claim, failure, now)
        if delivery_ledger.settle_refused(
            db,
            claim.delivery_id,
            verdict,
            claim_number=claim.claim_number,
            counted_attempts=claim.counted_attempts,
            now=now,
        ):  # else it was taken over, or an echo settled it
            claim.sender.move(db, [claim], verdict.opt_in_move, now)
            recorded.append((claim, verdict))
    return recorded


def _mark_unreachable(
    db: Session, outcomes: Sequence[Outcome], recorded: Sequence[tuple[Claim, Verdict]], now: datetime
) -> None:
    """Mark those who cannot be reached; the acceptances that are recorded next confirm it (0028)."""
    if not recorded:
        return
    answered = {o.claim.delivery_id: o.answered_at or now for o in outcomes}
    blamed = [
        unreachable_marks.UnreachableAnswer(
            c.customer_id, c.delivery_id, v.reason or "", v.detail, answered[c.delivery_id]
        )
        for c, v in recorded
        if v.state == DeliveryState.FAILED and v.reason in UNREACHABLE_REASONS
    ]
    unreachable_marks.mark_unreachable(db, blamed)
