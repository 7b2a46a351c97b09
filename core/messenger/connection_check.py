"""Before anybody is blamed for a refusal, the fanpage's line is asked whether it works: docs/decisions/0027.

Several codes are said of one person and of the whole fanpage. The question is a read that needs
`pages_messaging` itself: `me` answers without it. A wrong app secret gets the same bare 100 as a used token;
that `me` tells, too, as often as it is asked.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from threading import Lock
from weakref import WeakKeyDictionary

from core.messenger.client import Accepted, Answer, GraphRefused, Messenger
from core.messenger.errors import BAD_PARAMETER, NO_OBJECT, Failure, NextStep, is_inconclusive

ANYBODY, EDGE = "me", "me/messenger_profile"
KEPT_SECONDS = 60.0  # it may be read some ten times in ten minutes
ASKED_ABOUT = (NextStep.PERSON_OR_ACCOUNT, NextStep.TOKEN_REFUSED, NextStep.STOP_FANPAGE)


def attribute_refusals(messenger: Messenger, answers: Sequence[Answer]) -> list[Answer]:
    """The answers of one call, each charged to whom it belongs. May ask by HTTP: no transaction is open."""
    asked_about = [a for a in answers if isinstance(a, Failure) and a.step in ASKED_ABOUT]
    if not asked_about:
        return list(answers)
    only_tokens = all(each.step == NextStep.TOKEN_REFUSED for each in asked_about)
    if only_tokens and any(isinstance(answer, Accepted) for answer in answers):
        said = None  # an acceptance in the same call has shown that the call was sound
    else:
        edge = ANYBODY if only_tokens else EDGE
        said = _check_of(messenger).ask(messenger, edge, may_be_old=not only_tokens)
    return [attribute_refusal(each, said) if each in asked_about else each for each in answers]


def attribute_refusal(refusal: Answer, said: Failure | None) -> Answer:
    """What a refusal means, given what the line said to the question; None: it works. Pure."""
    if not isinstance(refusal, Failure):
        return refusal
    if refusal.step == NextStep.STOP_FANPAGE:  # firm; whether the line works matters when it comes again
        return replace(refusal, connection_works=said is None)
    if said is None:
        return _of_the_person(refusal)
    if is_inconclusive(said):  # proves nothing either way
        return replace(refusal, step=NextStep.RETRY_LATER, reason="temporary", person_step=None)
    if _same(said, refusal) or shows_broken_connection(said):
        return _of_the_account(refusal, said)
    return _of_the_person(refusal)


def shows_broken_connection(said: Failure) -> bool:
    """Whether the line's answer speaks against it. Where the question itself is not understood (a proxy, or
    another version of the platform), it does not."""
    if is_inconclusive(said) or said.step == NextStep.IN_DOUBT:
        return False
    return said.code != BAD_PARAMETER or said.subcode == NO_OBJECT


def _of_the_person(refusal: Failure) -> Failure:
    return replace(refusal, step=refusal.person_step or refusal.step, person_step=None)


def _of_the_account(refusal: Failure, said: Failure) -> Failure:
    """The line's own answer says more about the account, unless it is as ambiguous."""
    if said.step == NextStep.STOP_FANPAGE:
        return said
    reason = "call_refused" if said.reason in ("content", "unknown_error") else "permission"
    return replace(refusal, step=NextStep.STOP_FANPAGE, reason=reason, person_step=None)


def _same(said: Failure, refusal: Failure) -> bool:
    return _meaning(said) == _meaning(refusal)


def _meaning(failure: Failure) -> tuple[object, ...]:
    """Two answers that differ in nothing but their trace say the same. A subcode says it without words."""
    if failure.subcode:
        return failure.code, failure.subcode
    try:
        words = json.loads(failure.detail).get("message")
    except (ValueError, AttributeError):
        words = failure.detail
    return failure.status, failure.code, words


@dataclass(frozen=True)
class _KeptAnswer:
    said: Failure | None  # None: it works
    at: float  # monotonic

    def serves_at(self, now: float) -> bool:
        """That it works, or that it gave no answer: who asks on while it is limited prolongs the limit. A
        refusal is asked about anew, so that a repair is seen at once."""
        return (self.said is None or is_inconclusive(self.said)) and now - self.at < KEPT_SECONDS


class _ConnectionCheck:
    """One fanpage's: asked by one thread at a time, while the others wait for the same answer."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._kept: dict[str, _KeptAnswer] = {}  # by edge

    def ask(self, messenger: Messenger, edge: str, *, may_be_old: bool) -> Failure | None:
        """An answer younger than the refusal serves it; `may_be_old`: so does one that still holds. What a
        minute's belief gets wrong, the breaker gives back."""
        came = time.monotonic()
        with self._lock:
            kept = self._kept.get(edge)
            if kept and (kept.at >= came or (may_be_old and kept.serves_at(came))):
                return kept.said
            said = _asked(messenger, edge)
            self._kept[edge] = _KeptAnswer(said, time.monotonic())
            return said


_checks: WeakKeyDictionary[Messenger, _ConnectionCheck] = WeakKeyDictionary()
_making = Lock()


def _check_of(messenger: Messenger) -> _ConnectionCheck:
    with _making:
        return _checks.setdefault(messenger, _ConnectionCheck())


def _asked(messenger: Messenger, edge: str) -> Failure | None:
    try:
        messenger.get(edge, fields="id" if edge == ANYBODY else "get_started")
    except GraphRefused as problem:
        return problem.failure
    return None
