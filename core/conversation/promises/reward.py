"""Something of worth offered in exchange for the tap (pure)."""

from __future__ import annotations

import re
from collections.abc import Sequence

from core.conversation.promises.clauses import Clause
from core.conversation.promises.kinds import Kind
from core.conversation.promises.reading import Reading
from core.conversation.promises.vague import telling_words

# Patterns over the kinds of the words of a clause, a letter each: kinds.py says which.

# "Win a TV", "get a free drink", "tap to win", "we pay you to tap".
_GIVES = re.compile(
    r"""S[!YOPDf\#]*[xVAIDNW\#] | (?:^|[TP&Y!])[!f]?S
    |   G[!YODFf\#xMARB]{0,4}?V
    |   [SG]Y?(?:P|WY?)T""",
    re.VERBOSE,
)
# What the customer has already: "see your prize", "your gift is waiting", "xem quà của bạn".
_YOURS = re.compile(r"(?:^|N)f?OV|^[!TxN]{0,2}[fD]?V+x{0,2}f?O$")
# "$5 when you get our alerts", "20k khi nhận tin …"; "who wants a gift? Tap", "tap if you want a gift".
_FOR_NEWS = re.compile(r"^[^NI]*[SV][^NIW]*W[YDf]{0,2}N(?!M)")
_WANTED = re.compile(r"^[T!]{0,2}[WY][Yf]?G[DO#x!]{0,2}V")
# Beside any request: "and 10% off", "giảm ngay 20%".
_ADDED, _REDUCES = re.compile("&.*V"), re.compile(r"R[!Y]*x{0,2}[V#]")
# After it, what is neither told nor done: "a rose for you", "towels are yours", "shop gửi thêm bookmark".
_BROUGHT = re.compile(r"V|FY|G$|[GS][!YHD#]*[xA]")
_TOLD_OR_DONE = re.compile(r"[TNIW]|^[^GS]*A")
# Beside a tap also what nobody listed: "… grab a tote", "tap and we'll send you a mug", "bấm là có trà sữa",
# "one click, one mug", "a mug for tapping".
_GOODS = re.compile(
    r"""^[&fYMxAP!]{0,2}[GH][!Y]*[DOx\#A] | T&[fYM]{0,2}[GH][!Y]*[DO]x | G!?[D\#]\#?x
    |   T.{0,1}&?H!?x | S!?$ | ^&?D[xA]+$
    |   ^[^NIWT]*[xAV][^NIWT]*(?:W[YDf]{0,2}|F[DYOfxW]{0,3}|YW?)T""",
    re.VERBOSE,
)
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
        if _BROUGHT.search(clause.kinds) and not _TOLD_OR_DONE.search(clause.kinds)
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
    if _GIVES.search(said) or _FOR_NEWS.search(clause.kinds):
        return True
    if (asks and _REDUCES.search(said)) or (taps and _WANTED.search(clause.kinds)):
        return True
    if clause.is_event:
        return False
    return bool(
        _YOURS.search(clause.kinds)
        or (asks and _ADDED.match(said))
        or (taps and (Kind.WORTH in said or _GOODS.search(said)))
    )


def _names(reading: Reading, clause: Clause) -> bool:
    return bool(telling_words(reading, (part for part in clause.parts if part.kind != Kind.WORTH)))
