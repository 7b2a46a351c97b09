"""Errors that an operator may see.

OperatorError                 refused; the sentence is safe to show and says what to do
├── NotFound                  no such thing (any more)
├── NotAllowed                the operator's role does not include this
│   └── SignedOut             their session has ended: they have to sign in (again)
├── Invalid                   bad input; `problems` names fields
├── WrongState                the thing's state does not allow this step
└── Held                      the database is held: it takes in nothing (core/holding.py)

A sentence is an English template; the panel looks it up in its catalogues and fills in `values`.
"""

from __future__ import annotations

from dataclasses import dataclass


def N_(template: str) -> str:
    """Marks a sentence for the catalogues where it is defined far from where it is shown."""
    return template


@dataclass(frozen=True)
class Problem:
    """One field's complaint. `field` is the argument's name; `template` is filled with `values`."""

    field: str
    template: str
    values: tuple[tuple[str, object], ...] = ()

    @property
    def message(self) -> str:
        return self.template.format(**dict(self.values))


def problem(field: str, template: str, **values: object) -> Problem:
    return Problem(field, template, tuple(values.items()))


class OperatorError(Exception):
    code = "refused"

    def __init__(self, template: str, **values: object) -> None:
        self.template = template
        self.values = values
        super().__init__(template.format(**values))

    @property
    def message(self) -> str:
        return str(self)


class NotFound(OperatorError):
    code = "not_found"


class NotAllowed(OperatorError):
    code = "not_allowed"


class SignedOut(NotAllowed):
    code = "signed_out"


class WrongState(OperatorError):
    code = "wrong_state"


class Held(OperatorError):
    code = "held"


class Invalid(OperatorError):
    code = "invalid"

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = problems
        super().__init__("{problems}", problems="; ".join(p.message for p in problems))
