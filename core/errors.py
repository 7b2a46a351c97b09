"""Errors that an operator may see.

OperatorError                 refused; the sentence is safe to show and says what to do
├── NotFound                  no such thing (any more)
├── NotAllowed                the operator's role does not include this
│   └── SignedOut             their session has ended: they have to sign in (again)
├── Invalid                   bad input; `problems` names fields
├── WrongState                the thing's state does not allow this step
├── Changed                   somebody changed meanwhile what was looked at; `changes` says what, who, when
└── Held                      the database is held: it takes in nothing (core/db/holding.py)

A sentence is an English template; the panel looks it up in its catalogues and fills in `values`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime


def N_(template: str) -> str:
    """Mark a sentence for the translation catalogues where it is defined far from where it is shown."""
    return template


@dataclass(frozen=True)
class Problem:
    """What is wrong with one field of an input. `field` is the argument's name; `template` is filled with
    `values`."""

    field: str
    template: str
    values: tuple[tuple[str, object], ...] = ()

    @property
    def message(self) -> str:
        return self.template.format(**dict(self.values))


def problem(field: str, template: str, **values: object) -> Problem:
    """Shorthand for a `Problem` whose values are given by name."""
    return Problem(field, template, tuple(values.items()))


class OperatorError(Exception):
    """Something was refused. The sentence is safe to show and says what to do; `code` is its stable name."""

    code = "refused"

    def __init__(self, template: str, **values: object) -> None:
        self.template = template
        self.values = values
        super().__init__(template.format(**values))

    @property
    def message(self) -> str:
        return str(self)


class NotFound(OperatorError):
    """There is no such thing, or it is there no more."""

    code = "not_found"


class NotAllowed(OperatorError):
    """The operator's role does not include this."""

    code = "not_allowed"


class SignedOut(NotAllowed):
    """The operator's session has ended; they have to sign in again."""

    code = "signed_out"


class WrongState(OperatorError):
    """The state of the thing does not allow this step."""

    code = "wrong_state"


@dataclass(frozen=True)
class Change:
    """The last change of one field of a draft; `version` is the one it made."""

    field: str
    version: int
    by: str
    at: datetime


# What a change is called; each is filled with `by` and `at`.
CHANGES = {
    "name": N_("name changed by {by} at {at}"),
    "topic_id": N_("topic changed by {by} at {at}"),
    "content": N_("message changed by {by} at {at}"),
    "due_at": N_("start changed by {by} at {at}"),
    "best_before": N_("send-by time changed by {by} at {at}"),
    "filters": N_("audience changed by {by} at {at}"),
    "saves_opt_ins": N_("saving opt-ins changed by {by} at {at}"),
    "first_part": N_("first part changed by {by} at {at}"),
    "blocks": N_("content changed by {by} at {at}"),
    "entry_points": N_("entry points changed by {by} at {at}"),
    "back_to_draft": N_("put back to draft by {by} at {at}"),
}


class Changed(OperatorError):
    """Somebody else has changed the broadcast or message since the operator looked at it."""

    code = "changed"

    def __init__(self, changes: Sequence[Change]) -> None:
        self.changes = tuple(changes)
        said = [CHANGES[c.field].format(by=c.by, at=f"{c.at:%Y-%m-%d %H:%M} UTC") for c in changes]
        super().__init__(
            N_("Somebody changed this in the meantime: {changes}. Nothing was lost; check it again."),
            changes="; ".join(said),
        )


class Held(OperatorError):
    """The database is held and takes in nothing; see core/db/holding.py."""

    code = "held"


class Invalid(OperatorError):
    """The input is wrong; `problems` says which fields and why."""

    code = "invalid"

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = problems
        super().__init__("{problems}", problems="; ".join(p.message for p in problems))


def refuse_invalid(problems: Sequence[Problem]) -> None:
    """Raise Invalid when something is wrong."""
    if problems:
        raise Invalid(list(problems))
