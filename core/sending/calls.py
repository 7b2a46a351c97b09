"""Groups claims into calls: one-time messages of any fanpages together, each reply in a call of its own."""

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
Landed = Outcome | ReplyOutcome | Claim | ReplyClaim  # what comes back; a claim has never left


def grouped(leaving: Iterable[Leaving], *, apart: Collection[int] = ()) -> list[tuple[float, Call]]:
    """Return calls, each with the moment at which it leaves. Messages of the same tick share calls, at most
    50 in one, and those of one fanpage stand side by side; the fanpages `apart` share none.

    A message by PSID has no token that guards it against being sent twice, so it never shares a call.
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
