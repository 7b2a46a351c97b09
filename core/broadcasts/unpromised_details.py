"""Prices, percentages, dates and links in a broadcast's words that no promise of its customers holds (pure).

A detail is the same however it is written: 50k is 50.000đ, 20/11 is "20 tháng 11", hoa.vn is
https://www.hoa.vn/. Words for days ("thứ bảy", "tomorrow") and times of day are no details.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

_THOUSANDS = {"k": 3, "nghìn": 3, "ngàn": 3, "tr": 6, "triệu": 6, "tỷ": 9, "tỉ": 9}
_CURRENCIES = {"usd": "$", "dollar": "$", "dollars": "$", "eur": "€", "gbp": "£"}
_SIGNS = ("$", "€", "£")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*"
_NUMBER = r"\d{1,3}(?:[.,]\d{3})+(?!\d)|\d+(?:[.,]\d{1,2})?(?!\d)"

_LINK = re.compile(
    r"(?:https?://|www\.)\S+"
    r"|(?<![\w@.])(?:[\w-]+\.)+(?:vn|com|net|org|shop|store|me|io|info|ly|link|app)\b(?:/\S*)?",
    re.IGNORECASE,
)
_PERCENT = re.compile(r"(?<!\d)(\d+(?:[.,]\d+)?)[ \xa0]?(?:%|phần trăm\b|percent\b)", re.IGNORECASE)
_PRICE = re.compile(
    rf"([$€£])[ \xa0]?({_NUMBER})(k\b)?"
    rf"|(?<![\w.,])({_NUMBER})[ \xa0]?(k|nghìn|ngàn|tr|triệu|tỷ|tỉ)?(\d)?"
    rf"[ \xa0]?(đồng|đ|₫|vnđ|vnd|usd|dollars?|eur|gbp|[$€£])?(?!\w)",
    re.IGNORECASE,
)
_DATE = re.compile(
    rf"(?<![\w/.,-])(?:(\d{{1,2}})/(\d{{1,2}})(?:/(\d{{4}}|\d{{2}}))?"
    rf"|(\d{{1,2}})[.-](\d{{1,2}})[.-](\d{{4}})"
    rf"|(\d{{1,2}})\.(\d{{1,2}})"
    rf"|(\d{{1,2}})[ \xa0]?tháng[ \xa0]?(\d{{1,2}})(?:[ \xa0]?năm[ \xa0]?(\d{{4}}))?"
    rf"|(\d{{1,2}})(?:st|nd|rd|th)?[ \xa0]({_MONTH})|({_MONTH})[ \xa0](\d{{1,2}})(?:st|nd|rd|th)?)(?![\w/])",
    re.IGNORECASE,
)
_AROUND_LINKS = ".,;:!?)]}'\"…”’"


@dataclass(frozen=True)
class Detail:
    """Where it stands in its text, and what is the same for all ways of writing it."""

    start: int
    end: int
    meaning: tuple[object, ...]


def find_unpromised(text: str, promises: Sequence[str]) -> list[Detail]:
    """The details of a text that stand in none of the promises, in order."""
    promised = {detail.meaning for promise in promises for detail in find_details(promise)}
    return [one for one in find_details(text) if not any(_same(one.meaning, other) for other in promised)]


def find_details(text: str) -> list[Detail]:
    """Links, percentages, dates and prices in order; none lies in another."""
    found: list[Detail] = []
    for kind in (_links, _percentages, _dates, _prices):
        for detail in kind(text):
            if all(detail.end <= other.start or detail.start >= other.end for other in found):
                found.append(detail)
    return sorted(found, key=lambda detail: detail.start)


def _same(one: tuple[object, ...], other: tuple[object, ...]) -> bool:
    """A date without its year is the date with it."""
    if one[0] == other[0] == "date" and None in (one[2], other[2]):
        return one[1] == other[1]
    return one == other


def _links(text: str) -> Iterator[Detail]:
    for match in _LINK.finditer(text):
        link = match[0].rstrip(_AROUND_LINKS)
        bare = re.sub(r"^(?:https?://)?(?:www\.)?", "", link.lower()).rstrip("/")
        yield Detail(match.start(), match.start() + len(link), ("link", bare))


def _percentages(text: str) -> Iterator[Detail]:
    for match in _PERCENT.finditer(text):
        yield Detail(*match.span(), ("percent", Decimal(match[1].replace(",", "."))))


def _prices(text: str) -> Iterator[Detail]:
    for match in _PRICE.finditer(text):
        before, first, thousand, second, unit, half, after = match.groups()
        is_grouped = bool(re.search(r"[.,]\d{3}", second or ""))
        if first is None and not (unit or after or is_grouped):
            continue
        power = _THOUSANDS.get((thousand or unit or "").lower(), 0)
        amount = _amount(first or second)
        if amount is None or (half and not unit):
            continue
        more = Decimal(half).scaleb(power - 1) if half else Decimal(0)  # 1tr5 is 1.5 million
        said = (before or after or "").lower()
        currency = _CURRENCIES.get(said, said if said in _SIGNS else "đ")
        yield Detail(*match.span(), ("price", currency, amount.scaleb(power) + more))


def _amount(written: str) -> Decimal | None:
    """50.000 and 50,000 are fifty thousand; 1,5 and 1.5 are one and a half."""
    grouped = re.fullmatch(r"\d{1,3}(?:[.,]\d{3})+", written)
    try:
        return Decimal(re.sub(r"[.,]", "", written) if grouped else written.replace(",", "."))
    except InvalidOperation:
        return None


def _dates(text: str) -> Iterator[Detail]:
    for match in _DATE.finditer(text):
        day, month, year = _read_date([group for group in match.groups() if group is not None])
        is_dotted = match[7] is not None  # 9.9 is a day of sales, 4.5 a number
        if 1 <= day <= 31 and 1 <= month <= 31 and min(day, month) <= 12 and (day == month or not is_dotted):
            yield Detail(*match.span(), ("date", frozenset({day, month}), year))


def _read_date(said: list[str]) -> tuple[int, int, int | None]:
    numbers = [_month(one) if one[0].isalpha() else int(one) for one in said]
    year = numbers[2] if len(numbers) > 2 else None
    return numbers[0], numbers[1], year + 2000 if year is not None and year < 100 else year


def _month(name: str) -> int:
    return _MONTHS.index(name[:3].lower()) + 1
