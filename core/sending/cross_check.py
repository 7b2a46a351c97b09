"""Before a refused token is believed, the line is asked whether it works: see docs/decisions/0018.

The platform has no code of its own for a used token. A wrong app secret, for one, gets the same bare 100.
"""

from __future__ import annotations

import json
from dataclasses import replace
from weakref import WeakKeyDictionary

from core.messenger.client import Accepted, Answer, GraphRefused, Messenger
from core.messenger.errors import Failure, NextStep

PATIENCE = 3  # questions in a row without an answer; then the refusal, which is one, is believed
_unanswered: WeakKeyDictionary[Messenger, int] = WeakKeyDictionary()


def believed(messenger: Messenger, answers: list[Answer]) -> list[Answer]:
    """The answers of one call; what turns out to be said of the call is no longer said of a token."""
    refused = [a for a in answers if isinstance(a, Failure) and a.step == NextStep.TOKEN_REFUSED]
    if not refused or any(isinstance(answer, Accepted) for answer in answers):
        return answers  # an acceptance in the same call has shown that the line works
    trouble = _trouble_of(messenger, refused[0])
    if trouble is None:
        return answers
    return [trouble if answer in refused else answer for answer in answers]


def _trouble_of(messenger: Messenger, refusal: Failure) -> Failure | None:
    """What is wrong with the line; None when it works. One harmless question tells."""
    try:
        messenger.get("me", fields="id")
    except GraphRefused as problem:
        answer = problem.failure
        if _is_no_answer(answer):
            _unanswered[messenger] = _unanswered.get(messenger, 0) + 1
            waits = _unanswered[messenger] <= PATIENCE
            return replace(refusal, step=NextStep.RETRY_LATER, reason="temporary") if waits else None
        _unanswered.pop(messenger, None)
        if answer.step in (NextStep.STOP_FANPAGE, NextStep.SLOW_DOWN):
            return answer
        same = _meaning(answer) == _meaning(refusal)
        return replace(refusal, step=NextStep.STOP_FANPAGE, reason="call_refused") if same else None
    _unanswered.pop(messenger, None)
    return None


def _is_no_answer(answer: Failure) -> bool:
    """Lost, or a fault of the platform's; what refuses the question itself is an answer."""
    return answer.step == NextStep.RETRY_LATER or answer.status is None or answer.status >= 500


def _meaning(failure: Failure) -> tuple[object, ...]:
    """Two answers that differ in nothing but their trace say the same. A subcode says it without words."""
    if failure.subcode:
        return failure.code, failure.subcode
    try:
        words = json.loads(failure.detail).get("message")
    except (ValueError, AttributeError):
        words = failure.detail
    return failure.status, failure.code, failure.subcode, words
