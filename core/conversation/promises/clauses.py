"""A promise cut into clauses: what is offered, and what will be told (pure).

Cuts are made at punctuation, and where a new offer begins without any: "bấm báo hàng về | tặng ngay 50k",
"get updates | and win a prize". Under "tell me when …" everything is what will be told, a gift or a raffle
as well; after "get news of …" it is until somebody gives or gets something.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from core.conversation.promises.kinds import Kind
from core.conversation.promises.reading import Part, Reading
from core.conversation.promises.vocabulary import bare

# Patterns over the kinds of the words, a letter each: kinds.py says which.

# "Get the latest updates", "nhận ngay tin": to get what is told is to be told.
_GET_NEWS = re.compile(r"G(?=[!DYOf]*[xVAI#MD!]{0,5}?[NI])")

# The name of the button: "tap Notify Me to get …", "nhấn “Thông báo cho tôi” nhận …".
_NOTIFY_ME = re.compile(r"(?<=T)NM(?=[PFSG&!,]|$)")
# "Mua 2 tặng 1", "3 tặng 1".
_BOUGHT = re.compile(r"(?:B[#Dx]{0,3}|[#D])S(?=[#D])")

# A thing of worth that only describes what takes place anyway, unless it is given: "free trial class",
# "prize list"; in Vietnamese the other way round, "lớp học miễn phí".
_ATTRIBUTE_BEFORE = re.compile(r"(?<![GSD])(?<![GS][D#x!])V(?=[x#]{0,2}[AI])")
_ATTRIBUTE_AFTER = re.compile(r"(?<=[AI])(?<![GSH][AI])(?<![GSH][D#!][AI])[x#D]{0,3}V")

# For the tap: "if you tap", "for tapping", "for everyone who taps", "khi bấm".
_EXCHANGE = r"(?:W[YDfM]{0,2}|F[DYOfxW]{0,3}|P)T"
# The customer says what to tell: "tell me …", "news … when …", "a reminder to …", "when is …".
_WHEN = r"W(?![YDfM]{0,2}T)"
_EVENT = re.compile(rf"NM|T[FD]{{1,2}}W|N.*{_WHEN}|^[xfVAI]?{_WHEN}")
_NEWS = re.compile(f"[NI]|{_WHEN}")

# Where an offer begins without punctuation: after "news of …", …
_OFFER_AFTER_NEWS = re.compile(
    rf"""&[YfDM]{{0,3}}[SGRH] | &[^NIWT&]*(?:{_EXCHANGE}|YT) | &[^NIW&]{{0,5}}V
    |   &D[xA]{{1,3}}$ | [SG] | (?<=[PG])R
    |   F[DO][x\#]{{0,2}}V(?!x?[AI])""",
    re.VERBOSE,
)
# … and after "tell me when …", where nearly everything is told.
_OFFER_AFTER_EVENT = re.compile(
    rf"&[YfM]{{0,2}}(?:S|G[!YDOf#xM]{{0,4}}V|R!?V|V.*{_EXCHANGE})|(?<=NM)P(?:S|G[!YDOf#x]{{0,4}}V)"
)

# Of "nhan" without marks: nhắn before "me", nhấn before "to"; else it is nhận.
_NHAN = {Kind.ME: Kind.TELL, Kind.TELL: Kind.TELL, Kind.TO: Kind.TAP, Kind.HAVE: Kind.TAP}


@dataclass(frozen=True)
class Clause:
    parts: tuple[Part, ...]
    kinds: str
    is_event: bool = False  # under "tell me when": nothing in it is offered

    @property
    def news(self) -> int:
        """Where what will be told begins; the length of the clause if nowhere."""
        found = _NEWS.search(self.kinds)
        return found.start() if found else len(self.kinds)

    @property
    def tells(self) -> bool:
        return self.news < len(self.kinds)

    @property
    def before_event(self) -> str:
        return self.kinds[: self.news]

    @property
    def before_news(self) -> str:
        """The kinds that stand before what will be told, without what belongs to it ("gift card alerts")."""
        before = self.kinds[: self.news]
        return re.sub(r"[xVAI#D]*$", "", before) if self.kinds[self.news :][:1] in ("N", "I") else before


def split(reading: Reading) -> list[Clause]:
    """The clauses of a promise in order; punctuation is left out."""
    parts, kinds = list(reading.parts), _settled(reading)
    clauses: list[Clause] = []
    start = 0
    for end in [*(at for at, kind in enumerate(kinds) if kind == Kind.BREAK), len(kinds)]:
        if end > start:
            clauses += _cut(tuple(parts[start:end]), kinds[start:end])
        start = end + 1
    return clauses


def _settled(reading: Reading) -> str:
    """The kinds, where a neighbour decides what a word does."""
    kinds = "".join(_kind(reading, at) for at in range(len(reading.parts)))
    kinds = _NOTIFY_ME.sub("ff", _GET_NEWS.sub("N", kinds))
    if reading.vocabulary.has_marks:
        kinds = _BOUGHT.sub(lambda found: found[0].replace("S", "x"), kinds)
    attribute = _ATTRIBUTE_AFTER if reading.vocabulary.has_marks else _ATTRIBUTE_BEFORE
    return attribute.sub(lambda found: found[0].replace("V", "x"), kinds)


def _kind(reading: Reading, at: int) -> Kind:
    part, before, after = reading.parts[at], reading.at(at - 1), reading.at(at + 1)
    if part.kind == Kind.UNIT:
        is_counted = before is not None and before.kind in (Kind.NUMBER, Kind.A_ONE, Kind.WORTH)
        return Kind.WORTH if is_counted else Kind.OTHER
    if before is not None and (_is_price(reading, before, part) or _is_of_event(reading, before, part)):
        return Kind.OTHER
    if after is not None and part.said == "nhan":
        return _NHAN.get(after.kind, part.kind)
    return part.kind


def _is_price(reading: Reading, before: Part, part: Part) -> bool:
    """ "dưới 500k", "from $20"."""
    is_amount = part.kind == Kind.WORTH and part.typed[-1:] != "%" and any(map(str.isdigit, part.typed))
    return is_amount and bare(before.said) in reading.vocabulary.before_price


def _is_of_event(reading: Reading, before: Part, part: Part) -> bool:
    """ "chương trình tặng quà", "lịch nhận quà": who gives or gets belongs to the event."""
    is_event = before.kind in (Kind.EVENT, Kind.FACT) and part.kind in (Kind.GIVE, Kind.GET)
    return is_event and bare(before.said) in reading.vocabulary.of_giving


def _cut(parts: tuple[Part, ...], kinds: str) -> Iterator[Clause]:
    start = 0
    for at in range(1, len(kinds)):
        if _begins_offer(kinds[start:at], kinds[start:], at - start):
            yield _clause(parts[start:at], kinds[start:at])
            start = at
    yield _clause(parts[start:], kinds[start:])


def _clause(parts: tuple[Part, ...], kinds: str) -> Clause:
    return Clause(parts, kinds, _is_event(kinds))


def _is_event(kinds: str) -> bool:
    """Whether the customer says what to tell: "tell me …", "news … when …", "when is …"."""
    return bool(_EVENT.search(kinds))


def _begins_offer(before: str, kinds: str, at: int) -> bool:
    if _is_event(before):
        return bool(_OFFER_AFTER_EVENT.match(kinds, at))
    tells = re.search("[NI]", before) or ("T" in before and re.search("[xA]", before))
    return bool(tells and _OFFER_AFTER_NEWS.match(kinds, at))
