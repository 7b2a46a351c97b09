"""What a word does in a promise, as the vocabularies mark it and the rules read it."""

from __future__ import annotations

from enum import StrEnum


class Kind(StrEnum):
    """One letter each, so that a promise reads as a short string and a rule as a pattern over it."""

    TAP = "T"  # what the customer is to do: tap, sign up, bấm, đăng ký
    TELL = "N"  # that something will be told: notify, news, báo, nhận tin
    FACT = "I"  # a thing that is itself information: dates, menu, lịch, bảng giá
    WHEN = "W"  # opens the event that is told about: when, who, khi, lúc
    EVENT = "A"  # something that takes place anyway: raffle, course, đợt, chương trình
    GIVE = "S"  # whatever follows is given: win, earn, tặng, trúng
    GET = "G"  # given only if a thing of worth follows: get, nhận, được
    CUT = "R"  # a price that falls: giảm; an offer only beside a tap
    HAVE = "H"  # có: "bấm là có quà" gives, "khi có quà" does not
    WORTH = "V"  # money, gifts, discounts, points
    UNIT = "U"  # of money and discounts: worth something after a number
    YOUR = "O"  # your, của bạn: "your gift is waiting"
    YOU = "Y"  # to whom: you, bạn
    ME = "M"  # me, tôi: after a word of telling, the customer speaks
    NOW = "!"  # at once: now, ngay
    AND = "&"  # and, plus, và
    TO = "P"  # to, để
    FOR = "F"  # for
    A_ONE = "D"  # a, an, your, one, số đếm
    SMALL = "f"  # other small words
    BUY = "B"  # a purchase
    NUMBER = "#"
    BREAK = ","  # punctuation and emoji
    OTHER = "x"
