"""Checks a fanpage's connection before a refusal is attributed to a person: docs/decisions/0027.

The platform uses several codes both for one person and for the whole fanpage. So after such a refusal we read
the messenger profile, which needs `pages_messaging` (`me` answers without it). A wrong app secret gets the
same code 100 as a used token; to tell these apart, reading `me` is enough.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from threading import Lock
from weakref import WeakKeyDictionary

from core.messenger.client import GraphRefused, Messenger
from core.messenger.errors import BAD_PARAMETER, NO_OBJECT, Failure, NextStep, is_inconclusive
from core.messenger.send_responses import Accepted, Answer

ANYBODY, EDGE = "me", "me/messenger_profile"
KEPT_SECONDS = 60.0  # the profile may be read only some ten times in ten minutes
ASKED_ABOUT = (NextStep.PERSON_OR_ACCOUNT, NextStep.TOKEN_REFUSED, NextStep.STOP_FANPAGE)


def attribute_refusals(messenger: Messenger, answers: Sequence[Answer]) -> list[Answer]:
    """The answers of one call, with each refusal attributed to the person or to the account. It may make an
    HTTP call, so no transaction may be open."""
    asked_about = [a for a in answers if isinstance(a, Failure) and a.step in ASKED_ABOUT]
    if not asked_about:
        return list(answers)
    only_tokens = all(each.step == NextStep.TOKEN_REFUSED for each in asked_about)
    if only_tokens and any(isinstance(answer, Accepted) for answer in answers):
        said = None  # an acceptance in the same call shows that the call itself was right
    else:
        edge = ANYBODY if only_tokens else EDGE
        said = _check_of(messenger).ask(messenger, edge, may_be_old=not only_tokens)
    return [attribute_refusal(each, said) if each in asked_about else each for each in answers]


def attribute_refusal(refusal: Answer, said: Failure | None) -> Answer:
    """What a refusal means, given the failure of the check (None: the connection works). It is pure."""
    if not isinstance(refusal, Failure):
        return refusal
    if (
        refusal.step == NextStep.STOP_FANPAGE
    ):  # certain; whether the connection works matters if it comes again
        return replace(refusal, connection_works=said is None)
    if said is None:
        return _of_the_person(refusal)
    if is_inconclusive(said):  # the check proves nothing either way
        return replace(refusal, step=NextStep.RETRY_LATER, reason="temporary", person_step=None)
    if _same(said, refusal) or shows_broken_connection(said):
        return _of_the_account(refusal, said)
    return _of_the_person(refusal)


def shows_broken_connection(said: Failure) -> bool:
    """Whether the failure of a check means that the connection is broken. It does not when the platform, or a
    proxy, did not understand the check itself."""
    if is_inconclusive(said) or said.step == NextStep.IN_DOUBT:
        return False
    return said.code != BAD_PARAMETER or said.subcode == NO_OBJECT


def _of_the_person(refusal: Failure) -> Failure:
    return replace(refusal, step=refusal.person_step or refusal.step, person_step=None)


def _of_the_account(refusal: Failure, said: Failure) -> Failure:
    """The failure of the check says more about the account, unless it is as ambiguous as the refusal."""
    if said.step == NextStep.STOP_FANPAGE:
        return said
    reason = "call_refused" if said.reason in ("content", "unknown_error") else "permission"
    return replace(refusal, step=NextStep.STOP_FANPAGE, reason=reason, person_step=None)


def _same(said: Failure, refusal: Failure) -> bool:
    return _meaning(said) == _meaning(refusal)


def _meaning(failure: Failure) -> tuple[object, ...]:
    """What two failures have in common that differ only in their trace id. Subcodes are
    compared without texts."""
    if failure.subcode:
        return failure.code, failure.subcode
    try:
        words = json.loads(failure.detail).get("message")
    except (ValueError, AttributeError):
        words = failure.detail
    return failure.status, failure.code, words


@dataclass(frozen=True)
class _KeptAnswer:
    said: Failure | None  # None: the connection works
    at: float  # monotonic

    def serves_at(self, now: float) -> bool:
        """Whether the answer may be used again: that the connection works, or an inconclusive one, since
        asking again during a rate limit prolongs the limit. After a refusal the check is made anew, so that a
        repair is seen at once."""
        return (self.said is None or is_inconclusive(self.said)) and now - self.at < KEPT_SECONDS


class _ConnectionCheck:
    """The check of one fanpage. One thread makes it at a time, while others wait for the same answer."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._kept: dict[str, _KeptAnswer] = {}  # by edge

    def ask(self, messenger: Messenger, edge: str, *, may_be_old: bool) -> Failure | None:
        """The answer of a check made after this call began, or with `may_be_old` one that `serves_at` allows.
        What an old answer gets wrong, the breaker undoes."""
        came = time.monotonic()
        with self._lock:
            kept = self._kept.get(edge)
            if kept and (kept.at >= came or (may_be_old and kept.serves_at(came))):
                return kept.said
            said = _asked(messenger, edge)
            self._kept[edge] = _KeptAnswer(said, time.monotonic())
            return said


_checks: WeakKeyDictionary[Messenger, _ConnectionCheck] = WeakKeyDictionary()
_checks_lock = Lock()


def _check_of(messenger: Messenger) -> _ConnectionCheck:
    with _checks_lock:
        return _checks.setdefault(messenger, _ConnectionCheck())


def _asked(messenger: Messenger, edge: str) -> Failure | None:
    try:
        messenger.get(edge, fields="id" if edge == ANYBODY else "get_started")
    except GraphRefused as problem:
        return problem.failure
    return None
