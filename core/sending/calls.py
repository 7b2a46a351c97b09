"""What rides together in one call: messages that a one-time token guards, of any fanpages; replies alone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from core.messenger.wire import BATCH_LIMIT
from core.sending.claims import Claim
from core.sending.outcomes import Outcome
from core.sending.replies import ReplyClaim, ReplyOutcome


@dataclass(frozen=True, slots=True)
class Leaving:
    """One claimed message and when it leaves, in monotonic seconds."""

    at: float
    claim: Claim | ReplyClaim


Call = list[Claim] | list[ReplyClaim]
Landed = Outcome | ReplyOutcome | Claim | ReplyClaim  # a claim: it never left


def grouped(leaving: Iterable[Leaving], *, apart: Collection[int] = ()) -> list[tuple[float, Call]]:
    """Calls with their moments. What leaves at the same tick shares calls, those of one fanpage side by side;
    the fanpages `apart` share none.

    A message by PSID has no token that guards it: in doubt it could not be tried again, so it rides alone.
    """
    calls: list[tuple[float, Call]] = []
    together: dict[tuple[float, int | None], list[Claim]] = defaultdict(list)
    for each in leaving:
        if isinstance(each.claim, Claim):
            fanpage_id = each.claim.fanpage_id
            together[each.at, fanpage_id if fanpage_id in apart else None].append(each.claim)
        else:
            calls.append((each.at, [each.claim]))
    for (at, _), claims in together.items():
        claims.sort(key=lambda claim: claim.fanpage_id)
        calls += [(at, part) for part in _parts(claims)]
    return calls


def _parts(claims: Sequence[Claim]) -> list[list[Claim]]:
    return [list(claims[start : start + BATCH_LIMIT]) for start in range(0, len(claims), BATCH_LIMIT)]
