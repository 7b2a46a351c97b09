"""Words by which customers withdraw, and what the bot answers (pure).

A message counts when it consists of the word alone. Case, punctuation and the place of a tone mark do not
matter; the marks themselves do ("dung" may mean "đúng", and Huy is a name). Other spellings are entries of
their own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache

from core.errors import N_, Problem, problem
from core.text.matching import spelling, words

DEFAULT = (
    "dừng",
    "dừng lại",
    "dung lai",
    "dừng nhận tin",
    "dung nhan tin",
    "ngừng",
    "ngưng",
    "ngừng nhận",
    "ngung nhan",
    "ngừng nhận tin",
    "ngung nhan tin",
    "hủy",
    "hủy nhận tin",
    "huy nhan tin",
    "hủy đăng ký",
    "huy dang ky",
    "stop",
    "stop all",
    "unsubscribe",
)
WORD_LIMIT = 100
WORDS_LIMIT = 50

# What customers read, in the language of the installation: OTN_LANGUAGE.
_STOPPED_ALL = N_(
    "Done: {fanpage} will not notify you any more. To be notified again, just tap the button in a "
    "new invitation."
)
_STOPPED_ONE = N_(
    "Done: you will not be notified about “{topic}” any more. To be notified again, just tap the "
    "button in a new invitation."
)


def find_stop_word(text: str, known: Sequence[str]) -> str | None:
    """The stop word that a text consists of, spelt as in the list; None when it is not one."""
    said = _spelling(text)
    return next((word for word in known if said and _spelling(word) == said), None)


def check_stop_words(listed: Sequence[str]) -> list[Problem]:
    if not listed:
        return [problem("stop_words", N_("Keep at least one word: customers must be able to say no."))]
    if len(listed) > WORDS_LIMIT:
        return [problem("stop_words", N_("You can have at most {limit} stop words."), limit=WORDS_LIMIT)]
    bad = [word for word in listed if not _spelling(word) or len(word) > WORD_LIMIT]
    text = N_("“{word}” can't be a stop word: it needs a letter or digit and at most {limit} characters.")
    return [problem("stop_words", text, word=word[:60], limit=WORD_LIMIT) for word in bad]


def stopped(fanpage: str, topic: str | None, say: Callable[[str], str]) -> str:
    """The bot's answer to a withdrawal; `say` puts it into the customers' language."""
    said = say(_STOPPED_ONE if topic else _STOPPED_ALL)
    return said.format(fanpage=fanpage, topic=topic)


@lru_cache(maxsize=4096)
def _spelling(text: str) -> tuple[tuple[str, str], ...]:
    """The letters and the marks of each word, apart: "hủy" equals "huỷ", "dung" differs from "dừng". Emoji
    are left out."""
    return tuple(spelling(word) for word in words(text) if any(map(str.isalnum, word)))
