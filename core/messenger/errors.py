"""What the platform's refusals mean, named by what we do next. Codes are matched, texts never.

The rows below are the one place to teach a new code. A wrong row can burn one-time tokens.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple
from urllib.parse import quote

from core.messenger.reasons import describe
from core.text.normalise import storable

__all__ = ["ROWS", "Failure", "NextStep", "classify", "describe", "without_secrets"]

DETAIL_LIMIT = 500
CODE, STATUS = 2**63, 2**31  # from there on no column takes one


class NextStep(StrEnum):
    RETRY_LATER = "retry_later"  # refused for a passing reason: the same again in a while, counted as a try
    SLOW_DOWN = "slow_down"  # refused for the pace: the fanpage waits, costs no try
    END_DELIVERY = "end_delivery"  # this person, or this message to them, will not do
    TOKEN_REFUSED = "token_refused"  # the one-time token was turned down
    STOP_FANPAGE = "stop_fanpage"  # nothing of this fanpage will do until a person repairs something
    IN_DOUBT = "in_doubt"  # it may have been taken
    NOT_SENT = "not_sent"  # no connection was made: again later, costs no try


@dataclass(frozen=True)
class Failure:
    """`reason` is our stable code word (see `describe`); `detail` is the platform's answer, no secrets."""

    step: NextStep
    reason: str
    status: int | None = None
    code: int | None = None
    subcode: int | None = None
    detail: str = ""
    retry_after_seconds: float | None = None


class Row(NamedTuple):
    code: int
    subcode: int | None  # None: without one; ANY: whatever it is, unless another row names it
    step: NextStep
    reason: str
    source: str


ANY = -1
_CODES = "developers.facebook.com/documentation/business-messaging/messenger-platform/error-codes"
_SEND = "developers.facebook.com/documentation/business-messaging/messenger-platform/send-messages"
_OLD_SEND = "developers.facebook.com/docs/messenger-platform/reference/send-api (older table)"
_EDGE = "developers.facebook.com/docs/graph-api/reference/page/messages"
_GRAPH = "developers.facebook.com/docs/graph-api/guides/error-handling"
_RATES = "developers.facebook.com/docs/graph-api/overview/rate-limiting"
_FIELD = "seen in the field, undocumented"

_N = NextStep
ROWS: tuple[Row, ...] = (
    # May have been taken
    Row(1, 1357046, _N.IN_DOUBT, "bad_answer", _CODES),  # documented: the messages were in fact sent
    # Passing
    Row(1, ANY, _N.RETRY_LATER, "temporary", _GRAPH),
    Row(2, ANY, _N.RETRY_LATER, "temporary", _CODES),  # also said of a person who blocked the fanpage
    Row(1200, ANY, _N.RETRY_LATER, "temporary", _OLD_SEND),
    Row(2018300, ANY, _N.RETRY_LATER, "other_app", _CODES),
    Row(2018321, ANY, _N.RETRY_LATER, "other_app", _CODES),
    # Too fast
    Row(4, ANY, _N.SLOW_DOWN, "rate_limit", _CODES),
    Row(17, ANY, _N.SLOW_DOWN, "rate_limit", _RATES),
    Row(32, ANY, _N.SLOW_DOWN, "rate_limit", _RATES),
    Row(613, ANY, _N.SLOW_DOWN, "rate_limit", _SEND),
    Row(613, 2534040, _N.SLOW_DOWN, "rate_limit", _CODES),
    Row(80001, ANY, _N.SLOW_DOWN, "rate_limit", _RATES),
    Row(80006, ANY, _N.SLOW_DOWN, "rate_limit", _RATES),
    # This person
    Row(551, ANY, _N.END_DELIVERY, "blocked", _CODES),
    Row(230, ANY, _N.END_DELIVERY, "blocked", _EDGE),
    Row(100, 2018001, _N.END_DELIVERY, "gone", _CODES),
    Row(200, 1545041, _N.END_DELIVERY, "unavailable", _CODES),
    Row(10, 2018108, _N.END_DELIVERY, "unavailable", _CODES),
    Row(10, 2018336, _N.END_DELIVERY, "unavailable", _CODES),
    Row(10900, ANY, _N.END_DELIVERY, "unavailable", _EDGE),
    Row(10903, ANY, _N.END_DELIVERY, "unavailable", _EDGE),
    Row(10, 2018278, _N.END_DELIVERY, "window_closed", _CODES),
    Row(10, 2534022, _N.END_DELIVERY, "window_closed", _CODES),
    Row(10, 2018065, _N.END_DELIVERY, "window_closed", _CODES),
    Row(10, 1893015, _N.END_DELIVERY, "opted_out", _CODES),
    Row(9, 2018352, _N.END_DELIVERY, "request_limit", _CODES),
    Row(613, 1893016, _N.END_DELIVERY, "request_limit", _CODES),
    Row(613, 2018338, _N.END_DELIVERY, "abuse_warning", _CODES),
    # This message, whoever gets it: says nothing about a token
    Row(100, 2018008, _N.END_DELIVERY, "content", _CODES),
    Row(100, 2018047, _N.END_DELIVERY, "content", _CODES),
    Row(100, 2018109, _N.END_DELIVERY, "content", _CODES),
    Row(100, 2018294, _N.END_DELIVERY, "content", _CODES),
    Row(100, 2018074, _N.END_DELIVERY, "content", _CODES),
    Row(100, 2018164, _N.END_DELIVERY, "content", _CODES),
    Row(100, 2018320, _N.END_DELIVERY, "content", _CODES),
    Row(100, 2018328, _N.END_DELIVERY, "content", _CODES),
    Row(100, 2018034, _N.END_DELIVERY, "content", _FIELD),
    Row(105, ANY, _N.END_DELIVERY, "content", _FIELD),
    # The whole fanpage. 10 and 200 only without a subcode: most of their subcodes are about one person.
    Row(190, ANY, _N.STOP_FANPAGE, "token_invalid", _CODES),
    Row(10, 1893063, _N.STOP_FANPAGE, "restricted", _CODES),
    Row(10, 1404170, _N.STOP_FANPAGE, "restricted", _CODES),
    Row(368, ANY, _N.STOP_FANPAGE, "restricted", _EDGE),
    Row(2022, ANY, _N.STOP_FANPAGE, "restricted", _CODES),
    Row(10904, ANY, _N.STOP_FANPAGE, "restricted", _EDGE),
    Row(10, None, _N.STOP_FANPAGE, "permission", _SEND),
    Row(200, None, _N.STOP_FANPAGE, "permission", _CODES),
    Row(200, 2018021, _N.STOP_FANPAGE, "permission", _CODES),
    Row(200, 2018027, _N.STOP_FANPAGE, "permission", _CODES),
    Row(200, 2018028, _N.STOP_FANPAGE, "permission", _CODES),
    Row(3, ANY, _N.STOP_FANPAGE, "permission", _GRAPH),
    Row(1, 99, _N.STOP_FANPAGE, "permission", _CODES),
)
_NAMED = {(row.code, row.subcode): row for row in ROWS if row.subcode != ANY}
_BY_CODE = {row.code: row for row in ROWS if row.subcode == ANY}
BAD_PARAMETER = 100


def classify(
    status: int | None, error: dict[str, Any] | None, *, by_token: bool, secrets: Iterable[str] = ()
) -> Failure:
    """What to do about an answer that is no acceptance. `error` is its `error` object, None without one."""
    code, subcode = _number(error, "code"), _number(error, "error_subcode") or None
    step, reason = _decide(status or 0, error is not None, code, subcode, by_token)
    detail = json.dumps(error, ensure_ascii=False, default=str) if error is not None else ""
    status, code, subcode = _fitting(status, STATUS), _fitting(code, CODE), _fitting(subcode, CODE)
    return Failure(step, reason, status, code, subcode, without_secrets(detail, secrets))


def _decide(
    status: int, is_platforms: bool, code: int | None, subcode: int | None, by_token: bool
) -> tuple[NextStep, str]:
    if status >= 500:  # whatever the body says: it may have been taken before it failed
        return NextStep.IN_DOUBT, "server_error"
    if status < 400:
        return NextStep.IN_DOUBT, "bad_answer"
    if code is not None and (named := _NAMED.get((code, subcode))):
        return named.step, named.reason
    if status == 429:
        return NextStep.SLOW_DOWN, "rate_limit"
    if not is_platforms:  # somebody in between answered; the platform may have heard us
        return NextStep.IN_DOUBT, "bad_answer"
    if code == BAD_PARAMETER:
        # No code is published for a used or expired token; its siblings get a bare 100.
        return (NextStep.TOKEN_REFUSED, "token_refused") if by_token else (NextStep.END_DELIVERY, "content")
    if code is not None and (row := _BY_CODE.get(code)):
        return row.step, row.reason
    return NextStep.END_DELIVERY, "unknown_error"


def _number(error: dict[str, Any] | None, key: str) -> int | None:
    value = (error or {}).get(key)
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, str) and re.fullmatch(r"[0-9]{1,10}", value):
        return int(value)
    return None


def _fitting(number: int | None, limit: int) -> int | None:
    return number if number is not None and abs(number) < limit else None


_REMOVED = "[removed]"
_LOOKS_SECRET = re.compile(
    r"((?:access_token|appsecret_proof|app_secret|client_secret|one_time_notif_token)"
    r"(?:[\"'\\]|%22)*(?:\s*[=:]\s*|%3A|%3D)(?:[\"'\\]|%22)*|Bearer\s+)[^\"'\\&\s<>,;}]+|\bEAA[0-9A-Za-z]{8,}",
    re.IGNORECASE,
)


def without_secrets(text: str, secrets: Iterable[str] = ()) -> str:
    """Text fit to keep and to show: secrets cut out in every spelling they travel in, then trimmed."""
    for secret in sorted({s for s in secrets if len(s) >= 4}, key=len, reverse=True):
        for spelling in _spellings(secret):
            text = text.replace(spelling, _REMOVED)
    text = _LOOKS_SECRET.sub(lambda found: (found[1] or "") + _REMOVED, text)
    text = storable(text)
    return text if len(text) <= DETAIL_LIMIT else text[: DETAIL_LIMIT - 1] + "…"


def _spellings(secret: str) -> tuple[str, ...]:
    quoted = quote(secret, safe="", errors="replace")
    in_json = json.dumps(secret)[1:-1]
    return (
        secret,
        in_json,
        in_json.replace("/", r"\/"),
        json.dumps(secret, ensure_ascii=False)[1:-1],
        quoted,
        quote(quoted, safe=""),
        html.escape(secret),
    )
