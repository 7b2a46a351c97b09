"""What this tab saves of a draft: only what was changed here, beside what others change at the same time.

Session state holds the draft as this tab's fields show it. What differs from that was changed here; what the
database has otherwise was changed elsewhere, and is told and shown.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import Any

import streamlit as st

from core.broadcasts.drafts import FIELDS, Draft, differing, get_draft, keep_draft
from core.clock import utc_now
from core.errors import Changed
from pages.broadcasts.new import conflict, steps
from pages.components import first_values
from pages.components.draft_conflict import fields_of, put_aside
from pages.components.session import Current, do, flash
from pages.components.texts import _, changes_text

_SHOWN = "broadcast_shown"  # {"id", "step", "version", and each of FIELDS}
_REFILL = "broadcast_refill"
_REFUSED = "broadcast_refused"


def enter(draft: Draft, step: str) -> None:
    """Called at the top of every run: the fields of a step that is newly opened show what is kept."""
    held = st.session_state.get(_SHOWN)
    if held is not None and held["id"] == draft.id and held["step"] == step:
        return
    if held is not None and held["id"] == draft.id:
        _tell(differing(shown(draft), draft), draft)
    _remember(draft, step)


def is_open(broadcast_id: int) -> bool:
    """Whether this tab is writing this draft."""
    held = st.session_state.get(_SHOWN)
    return held is not None and held["id"] == broadcast_id


def leave() -> None:
    """Forgets the draft that this tab was writing."""
    st.session_state.pop(_SHOWN, None)


def shown(draft: Draft) -> Draft:
    """The draft as this tab's fields were filled from."""
    held = st.session_state[_SHOWN]
    return replace(draft, version=held["version"], **{name: held[name] for name in FIELDS})


def is_refilled() -> bool:
    """Whether the fields of this run are to show what is kept instead of what was typed."""
    return bool(st.session_state.get(_REFILL))


def is_refused() -> bool:
    """Whether what is written in this step could not be saved just now."""
    return bool(st.session_state.get(_REFUSED))


def is_left() -> bool:
    """Whether a step has just been saved in order to be left: the rest of it need not be drawn."""
    return steps.is_moving() and not is_refused()


def fill(key: str, value: object) -> None:
    """What a field shows at first, and again when the draft was changed elsewhere."""
    if is_refilled():
        first_values.put(key, value)
    else:
        first_values.show_first(key, value)


def save(here: Current, draft: Draft, **mine: Any) -> Draft:
    """Save those of a step's fields that were changed here; returns the draft as it is kept now."""
    st.session_state.pop(_REFILL, None)
    began = shown(draft)
    wanted = replace(began, **mine)
    kept: Draft | None = draft
    if differing(began, wanted):
        kept = do(lambda: _keep(here, wanted, began))
    st.session_state[_REFUSED] = kept is None
    if kept is None:
        return wanted  # why not stands on the page; what was typed stays and is tried again
    elsewhere = differing(wanted, kept)
    _remember(kept, st.session_state[_SHOWN]["step"])
    if elsewhere:
        _tell(elsewhere, kept)
        _show_anew(elsewhere, mine)
    return kept


def draw_conflict(here: Current, draft: Draft) -> None:
    """The choice between two versions, where somebody else changed the same field."""
    conflict.draw(draft, lambda mine: _keep_mine(here, draft, mine))


def _keep(here: Current, wanted: Draft, began: Draft) -> Draft:
    try:
        return keep_draft(here.actor, wanted, began=began, now=utc_now())
    except Changed:  # what was written here waits beside it until somebody chooses
        put_aside(conflict.KIND, wanted.id, differing(began, wanted))
        return get_draft(wanted.id)


def _keep_mine(here: Current, draft: Draft, mine: dict[str, Any]) -> None:
    """In place of what the draft was shown to say. If that has changed again, the question stays."""
    kept = keep_draft(here.actor, replace(draft, **mine), began=draft, now=utc_now())
    _remember(kept, st.session_state[_SHOWN]["step"])
    st.session_state[_REFILL] = True


def _remember(draft: Draft, step: str) -> None:
    values = {name: getattr(draft, name) for name in FIELDS}
    st.session_state[_SHOWN] = {"id": draft.id, "step": step, "version": draft.version, **values}


def _tell(fields: Collection[str], draft: Draft) -> None:
    """Who changed what elsewhere; about what waits for a choice the page itself asks."""
    asked = fields_of(conflict.KIND, draft.id)
    told = [change for change in draft.changes if change.field in fields and change.field not in asked]
    if told:
        words = _("Changed elsewhere in the meantime: {changes}.", changes=changes_text(told))
        flash(words, icon=":material/sync:")


def _show_anew(elsewhere: Collection[str], mine: Collection[str]) -> None:
    if set(elsewhere) & set(mine):
        st.session_state[_REFILL] = True
        if not steps.is_moving():  # else the step that is drawn next shows it in this very run
            st.rerun()
