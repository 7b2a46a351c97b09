"""One reason why somebody who once opted in does not get a broadcast. All of them: eligibility.py."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement

from core.consent.rules import OptInState

Condition = Callable[[datetime], ColumnElement[bool]]


@dataclass(frozen=True)
class Reason:
    """One reason to be left out. Its conditions are true or false for every row, never NULL."""

    code: str
    word: str  # short enough for a cell of a table
    sentence: str
    state: OptInState | None = None  # opt-ins in this state cannot be used
    opt_in: Condition | None = None  # available opt-ins for which it holds at a moment cannot be used, either
    customer: Condition | None = None  # customers for whom it holds at a moment get nothing
    is_temporary: bool = False  # it ends by itself: figures of who can be notified at all leave it aside
