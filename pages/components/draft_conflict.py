"""Two people, or two tabs, changed the same field of a draft: both values side by side, and a choice."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from core.errors import Change
from pages.components.session import attempt, flash
from pages.components.texts import _, changes_text

_MINE = "{noun}_mine"  # {"id", "values": {field: what was written here}}


@dataclass(frozen=True)
class Kind:
    """A kind of draft: `labels` name its fields, `words` says what a field holds."""

    noun: str
    labels: Mapping[str, str]
    words: Callable[[str, Any], str]


def put_aside(kind: Kind, draft_id: int, values: dict[str, Any]) -> None:
    """Keeps what was written in this tab until somebody has chosen."""
    values = {**_values_of(kind, draft_id), **values}
    st.session_state[_MINE.format(noun=kind.noun)] = {"id": draft_id, "values": values}


def fields_of(kind: Kind, draft_id: int) -> set[str]:
    """The fields of a draft about which somebody still has to choose."""
    return set(_values_of(kind, draft_id))


def draw(
    kind: Kind,
    draft_id: int,
    theirs: Mapping[str, Any],
    changes: Sequence[Change],
    keep_mine: Callable[[dict[str, Any]], None],
) -> None:
    """Shows itself until somebody has chosen; `theirs` and `changes` are of the draft as it is kept."""
    mine = _values_of(kind, draft_id)
    if not mine:
        return
    told = [change for change in changes if change.field in mine]
    with st.container(key="draft_conflict", border=True):
        st.warning(
            _(
                "You and somebody else changed the same thing: {changes}. Theirs is saved; yours "
                "exists only on this page until you choose, and is lost if you reload.",
                changes=changes_text(told),
            ),
            icon=":material/call_split:",
        )
        for field, value in mine.items():
            _side_by_side(kind, field, value, theirs[field])
        with st.container(key="conflict_ways", horizontal=True):
            st.button(_("Use theirs"), key="conflict_theirs", on_click=_forget, args=(kind,))
            st.button(_("Keep mine"), key="conflict_mine", on_click=_choose, args=(kind, keep_mine, mine))


def _side_by_side(kind: Kind, field: str, mine: object, theirs: object) -> None:
    here, there = st.columns(2)
    for column, whose, value in ((here, _("Yours"), mine), (there, _("Theirs"), theirs)):
        column.caption(f"{_(kind.labels[field])} · {whose}")
        column.text(kind.words(field, value))


def _choose(kind: Kind, keep_mine: Callable[[dict[str, Any]], None], mine: dict[str, Any]) -> None:
    error, _done = attempt(lambda: keep_mine(mine))
    if error:
        flash(error, icon=":material/error:")
        return
    _forget(kind)
    flash(_("Yours is saved."))


def _forget(kind: Kind) -> None:
    st.session_state.pop(_MINE.format(noun=kind.noun), None)


def _values_of(kind: Kind, draft_id: int) -> dict[str, Any]:
    held = st.session_state.get(_MINE.format(noun=kind.noun))
    return held["values"] if held is not None and held["id"] == draft_id else {}
