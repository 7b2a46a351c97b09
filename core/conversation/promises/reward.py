"""Something of worth offered in exchange for the tap (pure)."""

from __future__ import annotations

import re
from collections.abc import Sequence

from core.conversation.promises.clauses import (
    EXCHANGE,
    FOR_NEWS,
    GIVES,
    GOODS,
    GOODS_AFTER_NEWS,
    REDUCES,
    WANTED,
    YOURS,
    Clause,
)
from core.conversation.promises.kinds import Kind
from core.conversation.promises.reading import Reading
from core.conversation.promises.vague import telling_words

_FOR_THE_TAP = re.compile(EXCHANGE)
_IN_RETURN = re.compile("[FP]")  # a clause begins so only after "notify me"
_IS_THING_FOR_YOU = re.compile(r"V|FY|G$|[GS][!YHD#]*x")
_TOLD_OR_DONE = re.compile("[TNIWA]")
_FOR_YOU = re.compile("[FfV][MDf]?Y")
_ADDED = re.compile("&.*V")
_OFFERED = frozenset(
    {Kind.GIVE, Kind.GET, Kind.CUT, Kind.HAVE, Kind.WORTH, Kind.NOW, Kind.NUMBER, Kind.A_ONE}
)


def offers(reading: Reading, clauses: Sequence[Clause]) -> list[Clause]:
    """The clauses that offer something for the tap."""
    taps = any(Kind.TAP in (clause.before_event if clause.is_event else clause.kinds) for clause in clauses)
    asks = taps or any(clause.tells and not clause.is_event for clause in clauses)
    found = [clause for clause in clauses if _gives(clause, taps=taps, asks=asks)]
    found = found or _brought(reading, clauses)
    if found or (not asks and any(_names(reading, clause) for clause in clauses)):
        return found
    return [clause for clause in clauses if _is_bare_offer(reading, clause)]


def _brought(reading: Reading, clauses: Sequence[Clause]) -> list[Clause]:
    """What stands after the request and is neither told nor done: "tap for the match dates, a scarf too"."""
    if any(clause.is_event for clause in clauses):
        return []
    asking = next((at for at, clause in enumerate(clauses) if _asks(reading, clause)), len(clauses))
    return [
        clause
        for clause in clauses[asking + 1 :]
        if _IS_THING_FOR_YOU.search(clause.kinds) and not _TOLD_OR_DONE.search(clause.kinds)
    ]


def _asks(reading: Reading, clause: Clause) -> bool:
    """A word of telling alone is a heading: "News: …"."""
    return Kind.TAP in clause.kinds or (Kind.TELL in clause.kinds and _names(reading, clause))


def _is_bare_offer(reading: Reading, clause: Clause) -> bool:
    """A thing of worth and nothing else: "free gift inside", "get the launch date, 10% off"."""
    return Kind.WORTH in clause.before_news and not clause.is_event and not _names(reading, clause)


def offered_words(clauses: Sequence[Clause]) -> str:
    """The words by which it is offered, as they were typed."""
    parts = clauses[0].parts
    places = [at for at, part in enumerate(parts) if part.kind in _OFFERED]
    told = parts[places[0] : places[-1] + 1] if places else parts
    return " ".join(part.typed for part in told)


def _gives(clause: Clause, *, taps: bool, asks: bool) -> bool:
    said = clause.before_news
    if Kind.BUY in said and not asks:
        return False
    if (
        GIVES.search(said)
        or (YOURS.search(clause.kinds) and not clause.is_event)
        or FOR_NEWS.search(clause.kinds)
        or (taps and WANTED.search(clause.kinds))
        or (asks and not clause.is_event and GOODS_AFTER_NEWS.search(said))
        or (asks and REDUCES.search(said))
        or (taps and not clause.is_event and GOODS.search(said))
    ):
        return True
    if Kind.WORTH not in said or clause.is_event:
        return False
    if asks and _ADDED.match(said):
        return True
    return taps or bool(_FOR_THE_TAP.search(clause.kinds) or _FOR_YOU.search(said) or _IN_RETURN.match(said))


def _names(reading: Reading, clause: Clause) -> bool:
    return bool(telling_words(reading, (part for part in clause.parts if part.kind != Kind.WORTH)))
