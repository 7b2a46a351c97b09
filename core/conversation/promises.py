"""The title of a request: how long it may be, and wording that costs a fanpage its right to notify (pure).

Warned about are gifts for a tap, and promises that say nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

from core.errors import N_, Problem, problem
from core.messenger import wire
from core.text.length import length
from core.text.matching import search_key, words
from core.text.normalise import is_blank

# One-time notification policy: nothing of money's worth as an incentive to opt in, no misleading promise.
_LURES = (
    "miễn phí", "quà", "tặng", "tiền", "thưởng", "trúng", "hoàn tiền", "lì xì", "thẻ cào", "nhận xu",
    "0đ", "0 đồng", "mã giảm", "voucher", "coupon", "free", "gift", "gifts", "money", "cash", "cashback",
    "prize", "prizes", "win", "reward", "rewards", "bonus", "giveaway", "lottery",
)  # fmt: skip
_SAYS_NOTHING = frozenset(
    search_key(
        "nhận thông báo tin tức nhắn mới nhất cho tôi mình bạn chúng em cập nhật từ của shop trang này khi có"
        " về các những đăng ký bấm nhấn vào đây nhé ạ ngay một lần hãy để được biết thêm quan trọng hấp dẫn"
        " get receive news updates update notify notified notification notifications message messages me us"
        " be our we will latest the your about to from page new subscribe click tap here more info a an and"
        " when there is for important please"
    ).split()
)


def check_promise(title: str) -> list[Problem]:
    """What forbids a title: it is blank, or longer than the platform takes."""
    if is_blank(title):
        return [problem("title", N_("Say what the customer will be told about: this is the promise."))]
    if length(title) > wire.REQUEST_TITLE_LIMIT:
        return [
            problem(
                "title",
                N_("The promise has {count} characters; Messenger allows {limit}."),
                count=length(title),
                limit=wire.REQUEST_TITLE_LIMIT,
            )
        ]
    return []


def warn_promise(title: str) -> list[Problem]:
    """What a careful colleague would say about a promise; none of it forbids saving."""
    return [*_lures(title), *_vague(title)] if not is_blank(title) else []


def _lures(title: str) -> list[Problem]:
    lure = next((phrase for phrase in _LURES if _says(title, phrase)), None)
    if lure is None:
        return []
    return [
        problem(
            "title",
            N_(
                "“{words}” sounds like a gift for tapping. Meta forbids offering money or gifts for an "
                "opt-in and can block the fanpage; name only what you will tell."
            ),
            words=lure,
        )
    ]


def _vague(title: str) -> list[Problem]:
    said = [word for word in search_key(title).split() if any(map(str.isalnum, word))]
    telling = [word for word in said if word not in _SAYS_NOTHING]
    if telling:
        return []
    return [
        problem(
            "title",
            N_(
                "This promise does not say what the message will be about. Name it, so that nobody is "
                "surprised later."
            ),
        )
    ]


def _says(text: str, phrase: str) -> bool:
    """Whole words, with their marks; a text typed without any marks is compared without."""
    spoken: Sequence[str] = words(text)
    unmarked = " ".join(spoken) == search_key(text)
    wanted = search_key(phrase) if unmarked else " ".join(words(phrase))
    return f" {wanted} " in f" {' '.join(spoken)} "
