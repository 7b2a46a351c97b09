"""Classifies the platform's refusals by what we do next. Only codes are matched, never texts.

`ERROR_RULES` is the one place for a new code. A wrong rule can waste one-time tokens.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple

from core.messenger.redaction import without_secrets

CODE, STATUS = 2**63, 2**31  # a number from here on fits into no column and is left out


class NextStep(StrEnum):
    """What we do after a refusal."""

    RETRY_LATER = "retry_later"  # refused for a passing reason: try again later, counted as an attempt
    SLOW_DOWN = "slow_down"  # refused as too fast: the fanpage waits, and the attempt does not count
    END_DELIVERY = "end_delivery"  # this message to this person will never be taken
    TOKEN_REFUSED = "token_refused"  # the one-time token was turned down
    STOP_FANPAGE = "stop_fanpage"  # nothing of this fanpage will be taken until a person repairs something
    PERSON_OR_ACCOUNT = (
        "person_or_account"  # either may be meant: the connection is checked, see connection_check.py
    )
    IN_DOUBT = "in_doubt"  # the message may have been taken
    NOT_SENT = "not_sent"  # no connection was made: try again later, not counted as an attempt


@dataclass(frozen=True)
class Failure:
    """A message was not accepted. `reason` is a stable word of ours (see `describe`), `detail` the platform's
    answer without secrets.

    `person_step` is the next step of a PERSON_OR_ACCOUNT once the fanpage's connection was found to work;
    `reason` holds for that case, too. `connection_works` says that it was found to work after this refusal.
    """

    step: NextStep
    reason: str
    status: int | None = None
    code: int | None = None
    subcode: int | None = None
    detail: str = ""
    retry_after_seconds: float | None = None
    person_step: NextStep | None = None
    connection_works: bool = False


class ErrorRule(NamedTuple):
    """What one code of the platform means, and where that is documented."""

    code: int
    subcode: int | None  # None: only without one; ANY: any that no other rule names
    step: NextStep
    reason: str
    source: str
    person_step: NextStep | None = None  # only with PERSON_OR_ACCOUNT, see Failure


ANY = -1
_CODES = "developers.facebook.com/documentation/business-messaging/messenger-platform/error-codes"
_SEND = "developers.facebook.com/documentation/business-messaging/messenger-platform/send-messages"
_OLD_SEND = "developers.facebook.com/docs/messenger-platform/reference/send-api (older table)"
_EDGE = "developers.facebook.com/docs/graph-api/reference/page/messages"
_GRAPH = "developers.facebook.com/docs/graph-api/guides/error-handling"
_RATES = "developers.facebook.com/docs/graph-api/overview/rate-limiting"
_FIELD = "seen in the field, undocumented"

_SDK = "the platform's PHP SDK, which sorts errors into classes by code"

_N = NextStep
_EITHER = _N.PERSON_OR_ACCOUNT
ERROR_RULES: tuple[ErrorRule, ...] = (
    # May have been taken
    ErrorRule(1, 1357046, _N.IN_DOUBT, "bad_answer", _CODES),  # documented: the messages were in fact sent
    # Passing
    ErrorRule(1, ANY, _N.RETRY_LATER, "temporary", _GRAPH),
    ErrorRule(1200, ANY, _N.RETRY_LATER, "temporary", _OLD_SEND),
    ErrorRule(2018300, ANY, _N.RETRY_LATER, "other_app", _CODES),
    ErrorRule(2018321, ANY, _N.RETRY_LATER, "other_app", _CODES),
    # Too fast
    ErrorRule(4, ANY, _N.SLOW_DOWN, "rate_limit", _CODES),
    ErrorRule(17, ANY, _N.SLOW_DOWN, "rate_limit", _RATES),
    ErrorRule(18, ANY, _N.SLOW_DOWN, "rate_limit", _SDK),
    ErrorRule(32, ANY, _N.SLOW_DOWN, "rate_limit", _RATES),
    ErrorRule(341, ANY, _N.SLOW_DOWN, "rate_limit", _GRAPH),
    ErrorRule(613, ANY, _N.SLOW_DOWN, "rate_limit", _SEND),
    ErrorRule(613, 2534040, _N.SLOW_DOWN, "rate_limit", _CODES),
    *(
        ErrorRule(code, ANY, _N.SLOW_DOWN, "rate_limit", _RATES)  # the business use case limits
        for code in (80000, 80001, 80002, 80003, 80004, 80005, 80006, 80008, 80009, 80014)
    ),
    # This person
    ErrorRule(551, 1545041, _N.END_DELIVERY, "blocked", _CODES),
    ErrorRule(100, 2018001, _N.END_DELIVERY, "gone", _CODES),
    ErrorRule(200, 1545041, _N.END_DELIVERY, "unavailable", _CODES),
    ErrorRule(10, 2018108, _N.END_DELIVERY, "unavailable", _CODES),
    ErrorRule(10, 2018336, _N.END_DELIVERY, "unavailable", _CODES),
    ErrorRule(10900, ANY, _N.END_DELIVERY, "unavailable", _EDGE),
    ErrorRule(10903, ANY, _N.END_DELIVERY, "unavailable", _EDGE),
    ErrorRule(10, 2018278, _N.END_DELIVERY, "window_closed", _CODES),
    ErrorRule(10, 2534022, _N.END_DELIVERY, "window_closed", _CODES),
    ErrorRule(10, 2018065, _N.END_DELIVERY, "window_closed", _CODES),
    ErrorRule(10, 1893015, _N.END_DELIVERY, "opted_out", _CODES),
    ErrorRule(9, 2018352, _N.END_DELIVERY, "request_limit", _CODES),
    ErrorRule(613, 1893016, _N.END_DELIVERY, "request_limit", _CODES),
    ErrorRule(613, 2018338, _N.END_DELIVERY, "abuse_warning", _CODES),
    # This message, whoever gets it: says nothing about a token
    ErrorRule(100, 2018008, _N.END_DELIVERY, "content", _CODES),
    ErrorRule(100, 2018047, _N.END_DELIVERY, "content", _CODES),
    ErrorRule(100, 2018109, _N.END_DELIVERY, "content", _CODES),
    ErrorRule(100, 2018294, _N.END_DELIVERY, "content", _CODES),
    ErrorRule(100, 2018074, _N.END_DELIVERY, "content", _CODES),
    ErrorRule(100, 2018164, _N.END_DELIVERY, "content", _CODES),
    ErrorRule(100, 2018320, _N.END_DELIVERY, "content", _CODES),
    ErrorRule(100, 2018328, _N.END_DELIVERY, "content", _CODES),
    ErrorRule(100, 2018034, _N.END_DELIVERY, "content", _FIELD),
    ErrorRule(105, ANY, _N.END_DELIVERY, "content", _FIELD),
    ErrorRule(506, ANY, _N.END_DELIVERY, "content", _GRAPH),
    ErrorRule(1609005, ANY, _N.END_DELIVERY, "content", _GRAPH),
    # The whole fanpage: session and token, restrictions, permissions
    ErrorRule(102, ANY, _N.STOP_FANPAGE, "token_invalid", _GRAPH),
    ErrorRule(104, ANY, _N.STOP_FANPAGE, "token_invalid", _FIELD),
    ErrorRule(190, ANY, _N.STOP_FANPAGE, "token_invalid", _CODES),
    ErrorRule(2500, ANY, _N.STOP_FANPAGE, "token_invalid", _FIELD),
    ErrorRule(10, 1893063, _N.STOP_FANPAGE, "restricted", _CODES),
    ErrorRule(10, 1404170, _N.STOP_FANPAGE, "restricted", _CODES),
    ErrorRule(368, ANY, _N.STOP_FANPAGE, "restricted", _EDGE),
    ErrorRule(2022, ANY, _N.STOP_FANPAGE, "restricted", _CODES),
    ErrorRule(10904, ANY, _N.STOP_FANPAGE, "restricted", _EDGE),
    ErrorRule(3, ANY, _N.STOP_FANPAGE, "permission", _GRAPH),
    ErrorRule(10, None, _N.STOP_FANPAGE, "permission", _SEND),
    ErrorRule(200, 2018021, _N.STOP_FANPAGE, "permission", _CODES),
    ErrorRule(200, 2018027, _N.STOP_FANPAGE, "permission", _CODES),
    ErrorRule(200, 2018028, _N.STOP_FANPAGE, "permission", _CODES),
    # This person, or the whole fanpage: the same code is said of both
    ErrorRule(551, ANY, _EITHER, "blocked", _CODES, _N.END_DELIVERY),
    ErrorRule(230, ANY, _EITHER, "blocked", _EDGE, _N.END_DELIVERY),  # or pages_messaging is gone
    ErrorRule(200, None, _EITHER, "unavailable", _CODES, _N.END_DELIVERY),  # or a permission is gone
    ErrorRule(10, ANY, _EITHER, "set_aside", _GRAPH, _N.END_DELIVERY),
    ErrorRule(1, 99, _EITHER, "temporary", _CODES, _N.RETRY_LATER),  # "missing permissions can cause this"
    ErrorRule(2, ANY, _EITHER, "temporary", _CODES, _N.RETRY_LATER),  # an outage, or this person blocked us
)
# Permissions not granted or removed; of a few the field knows that they are said of a person, too.
PERMISSIONS = range(200, 300)
_PERMISSION = ErrorRule(-1, ANY, _EITHER, "set_aside", _GRAPH, _N.END_DELIVERY)
_UNKNOWN = ErrorRule(-1, ANY, _EITHER, "unknown_error", "no source: nobody knows this code", _N.END_DELIVERY)
# 100/33: the object does not exist or is not permitted; by a token, that is its person or our fanpage.
_BAD_TOKEN = ErrorRule(100, ANY, _N.TOKEN_REFUSED, "token_refused", _CODES)
_BAD_OBJECT = ErrorRule(100, 33, _EITHER, "token_refused", _CODES, _N.TOKEN_REFUSED)
_BAD_OBJECT_BY_PSID = ErrorRule(100, 33, _EITHER, "content", _CODES, _N.END_DELIVERY)
_BAD_CONTENT = ErrorRule(100, ANY, _N.END_DELIVERY, "content", _CODES)
# Whatever code they come with: app removed, checkpoint, password changed, expired, unconfirmed, invalid.
_SESSION_SUBCODES = frozenset({458, 459, 460, 463, 464, 467, 492})
_SESSION = ErrorRule(190, ANY, _N.STOP_FANPAGE, "token_invalid", _GRAPH)
# Another app, or Facebook's own automation, controls the conversation: said as a subcode of 10, too.
_OTHER_APP_SUBCODES = frozenset({2018300, 2018321})
_OTHER_APP = ErrorRule(10, ANY, _N.RETRY_LATER, "other_app", _CODES)
_SERVER_ERROR = ErrorRule(-1, ANY, _N.IN_DOUBT, "server_error", _GRAPH)
_BAD_ANSWER = ErrorRule(-1, ANY, _N.IN_DOUBT, "bad_answer", _GRAPH)
_TOO_MANY = ErrorRule(-1, ANY, _N.SLOW_DOWN, "rate_limit", _RATES)  # HTTP 429
_NAMED = {(row.code, row.subcode): row for row in ERROR_RULES if row.subcode != ANY}
_BY_CODE = {row.code: row for row in ERROR_RULES if row.subcode == ANY}
BAD_PARAMETER, NO_OBJECT = 100, 33
OUTAGE = 2
_NOT_NOW = (NextStep.NOT_SENT, NextStep.SLOW_DOWN, NextStep.RETRY_LATER)


def classify(
    status: int | None, error: dict[str, Any] | None, *, by_token: bool, secrets: Iterable[str] = ()
) -> Failure:
    """Decide what to do about an answer that is not an acceptance.

    `status` is the HTTP status, `error` the `error` object of the answer or None, `by_token` whether a
    one-time token was spent. The `secrets` are removed from the detail.
    """
    code, subcode = _number(error, "code"), _number(error, "error_subcode") or None
    row = _row(status or 0, error is not None, code, subcode, by_token)
    detail = json.dumps(error, ensure_ascii=False, default=str) if error is not None else ""
    status, code, subcode = _fitting(status, STATUS), _fitting(code, CODE), _fitting(subcode, CODE)
    said = without_secrets(detail, secrets)
    return Failure(row.step, row.reason, status, code, subcode, said, person_step=row.person_step)


def is_inconclusive(failure: Failure) -> bool:
    """Whether a failure proves nothing about what was asked: nobody answered, or only that now
    is not the time."""
    if failure.step == NextStep.IN_DOUBT:
        return failure.status is None or failure.status >= 500
    return failure.code == OUTAGE or failure.step in _NOT_NOW


def _row(status: int, is_platforms: bool, code: int | None, subcode: int | None, by_token: bool) -> ErrorRule:
    if status >= 500:  # whatever the body says: it may have been taken before it failed
        return _SERVER_ERROR
    if status < 400:
        return _BAD_ANSWER
    if code is not None and (named := _NAMED.get((code, subcode))):
        return named
    if status == 429:
        return _TOO_MANY
    if not is_platforms:  # somebody in between answered; the platform may have heard us
        return _BAD_ANSWER
    if subcode in _SESSION_SUBCODES:
        return _SESSION
    if subcode in _OTHER_APP_SUBCODES:
        return _OTHER_APP
    return _row_of(code, subcode, by_token)


def _row_of(code: int | None, subcode: int | None, by_token: bool) -> ErrorRule:
    if code == BAD_PARAMETER and subcode == NO_OBJECT:
        return _BAD_OBJECT if by_token else _BAD_OBJECT_BY_PSID
    if code == BAD_PARAMETER:
        # No code is published for a used or expired token; its siblings get a bare 100.
        return _BAD_TOKEN if by_token else _BAD_CONTENT
    if code is not None and (row := _BY_CODE.get(code)):
        return row
    return _PERMISSION if code in PERMISSIONS else _UNKNOWN


def _number(error: dict[str, Any] | None, key: str) -> int | None:
    value = (error or {}).get(key)
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, str) and re.fullmatch(r"[0-9]{1,10}", value):
        return int(value)
    return None


def _fitting(number: int | None, limit: int) -> int | None:
    return number if number is not None and abs(number) < limit else None
