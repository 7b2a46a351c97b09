"""Reads PSIDs, page ids and tokens, however they were typed, pasted or sent.

A PSID or page id is ASCII digits and nothing else (Messenger webhooks: decimal strings of 15 and more).
Digits of other scripts are refused rather than converted: the platform never writes them, so something on the
way has changed what it was given.
"""

from __future__ import annotations

import re

from core.errors import N_, Invalid, Problem, problem
from core.text.invisible import is_unseen

ID_LIMIT = 64
TOKEN_LIMIT = 2000
_ID = re.compile(rf"[0-9]{{1,{ID_LIMIT}}}")
_QUOTES = frozenset("\"'`´‘’‚‛“”„‟‹›«»′″‵‶ʹʺʻʼʽˈˊˋ❛❜❝❞〝〞〟＂＇｀")
_LONG_NUMBER = 10**ID_LIMIT


def unwrapped(text: str) -> str:
    """Remove what surrounds an id or token: quotes, blanks, invisible characters, and the ="…" by which
    spreadsheets keep long numbers whole. What is inside is never changed."""
    bare = _bare(text)
    return _bare(bare[1:]) if bare[:1] == "=" and bare[1:2] in _QUOTES else bare


def read_id(value: object) -> str | None:
    """Read an id as digits; None when it is not one. Ids are strings in live traffic and
    numbers in old samples."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value) if 0 <= value < _LONG_NUMBER else None
    if not isinstance(value, str):
        return None
    found = _ID.fullmatch(value) or _ID.fullmatch(unwrapped(value))
    return found[0] if found else None


def is_id(value: object) -> bool:
    """Whether a value is an id exactly as the platform writes it."""
    return type(value) is str and _ID.fullmatch(value) is not None


def read_psid(value: str, field: str = "psid") -> str | Problem:
    """Read a PSID that somebody typed or that stands in a file; or return what is wrong with it."""
    psid = unwrapped(value)
    if not psid:
        return problem(field, N_("The PSID is missing."))
    if len(psid) > ID_LIMIT:
        return problem(field, N_("The PSID is longer than {limit} characters."), limit=ID_LIMIT)
    if _ID.fullmatch(psid):
        return psid
    text = N_("“{psid}” is not a PSID: a PSID only has digits from 0 to 9. Copy it again.")
    return problem(field, text, psid=psid)


def required_psid(value: str) -> str:
    """Read a PSID for a command. Raises Invalid, which says what is wrong with it."""
    psid = read_psid(value)
    if isinstance(psid, Problem):
        raise Invalid([psid])
    return psid


def read_token(value: str, field: str = "token") -> str | Problem:
    """Read a token without what surrounds it; or return what is wrong with it."""
    token = unwrapped(value)
    if not token:
        return problem(field, N_("The token is missing."))
    if len(token) > TOKEN_LIMIT:
        return problem(field, N_("The token is longer than {limit} characters."), limit=TOKEN_LIMIT)
    hidden = " " in token if token.isascii() else any(map(is_unseen, token))
    if hidden or not token.isprintable():
        return problem(field, N_("The token has spaces or other unreadable characters in it."))
    return token


def _bare(text: str) -> str:
    start, end = 0, len(text)
    while start < end and _is_around(text[start]):
        start += 1
    while end > start and _is_around(text[end - 1]):
        end -= 1
    return text[start:end]


def _is_around(sign: str) -> bool:
    return sign in _QUOTES or is_unseen(sign)
