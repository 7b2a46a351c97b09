"""What rides together in one call: messages that the platform takes only once, of any fanpages."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from core.messenger.limits import BATCH_LIMIT
from core.sending.outcomes import Outcome, ReplyOutcome
from core.sending.reply_claims import ReplyClaim
from core.sending.senders.sender import Claim, Sender


@dataclass(frozen=True, slots=True)
class PlannedMessage:
    """One claimed message and when it leaves, in monotonic seconds."""

    at: float
    claim: Claim | ReplyClaim


Call = list[Claim] | list[ReplyClaim]
Returned = Outcome | ReplyOutcome | Claim | ReplyClaim  # what comes back; a claim has never left


def grouped(
    leaving: Iterable[PlannedMessage], *, groups: Mapping[int, int] | None = None
) -> list[tuple[float, Call]]:
    """Return calls, each with the moment at which it leaves. What leaves at the same tick by the same sender
    shares calls, at most 50 in one, those of one fanpage side by side. Fanpages in `groups` share calls only
    with others of the same number.

    A message in doubt shares calls with its own fanpage only: mostly it was taken before and is refused now,
    and what a call of several fanpages refuses is sent once more by itself, beside the fanpage's rate. A
    message that nothing guards against arriving twice could not be tried again in doubt, so it rides alone.
    """
    calls: list[tuple[float, Call]] = []
    together: dict[tuple[float, Sender, int | None], list[Claim]] = defaultdict(list)
    for each in leaving:
        if isinstance(each.claim, ReplyClaim):
            calls.append((each.at, [each.claim]))
        elif each.claim.sender.is_guarded:
            fanpage_id = each.claim.fanpage_id
            group = fanpage_id if each.claim.in_doubt else (groups or {}).get(fanpage_id)
            together[each.at, each.claim.sender, group].append(each.claim)
        else:
            calls.append((each.at, [each.claim]))
    for (at, *_), claims in together.items():
        claims.sort(key=lambda claim: claim.fanpage_id)
        calls += [(at, part) for part in _parts(claims)]
    return calls


def _parts(claims: Sequence[Claim]) -> list[list[Claim]]:
    return [list(claims[start : start + BATCH_LIMIT]) for start in range(0, len(claims), BATCH_LIMIT)]
