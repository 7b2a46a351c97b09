"""What this tab saves of a message: only what was changed here, beside what others change at the same time.

Session state holds what the fields show. What differs from that was changed here; what the database has
otherwise was changed elsewhere, and is told and shown.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import Any

import streamlit as st

from core.clock import utc_now
from core.conversation.draft_actions import FIELDS, create_draft, differing, get_draft, keep_draft
from core.conversation.drafts import BlockDraft, EntryDraft, MessageDraft
from core.conversation.rules import check_name
from core.conversation.stored_content import blocks_in, entries_in, to_stored
from core.conversation.versions import Draft
from core.errors import Changed
from pages.components.block_editor import draft as drafts
from pages.components.block_editor import undo
from pages.components.draft_conflict import fields_of, put_aside
from pages.components.session import Current, do, flash
from pages.components.texts import _, changes_text
from pages.messages.composer import conflict

_HELD = "composer"  # {address: what its fields show}; "kept" in it: {"began", "opened", "refused"}


def open_fields(
    address: str, kept: Draft | None, *, begin: Collection[BlockDraft] = (), name: str = ""
) -> drafts.Draft:
    """The fields of a message: as this tab left them, else as the message is kept; `begin` and `name` fill a
    new one.

    What is shown and was not saved (somebody has to choose first) is not forgotten for another message.
    """
    held: dict[str, drafts.Draft] = st.session_state.setdefault(_HELD, {})
    for other in [each for each in held if each != address and not _unsaved(held[each])]:
        del held[other]
    if address not in held:
        held[address] = _loaded(kept, begin, name)
    return held[address]


def forget(address: str) -> None:
    """The fields are filled anew when the message is opened again."""
    st.session_state.get(_HELD, {}).pop(address, None)


def save(here: Current, fanpage_id: int, fields: drafts.Draft, kept: Draft | None) -> Draft | None:
    """Save what was changed here, at the end of the run; returns the message as it is kept now (None: a new
    one about which nothing is written yet)."""
    mine = _mine(fields)
    if kept is None:
        return _create(here, fanpage_id, fields) if mine else None
    began = _began(fields, kept)
    wanted = replace(began, **mine)
    saved: Draft | None = kept
    if mine:
        saved = do(lambda: _keep(here, wanted, began))
    fields["kept"]["refused"] = saved is None
    if saved is None:
        return wanted  # why not stands on the page; what was typed stays and is tried again
    elsewhere = differing(wanted, saved)
    _remember(fields, saved)
    if elsewhere:
        _tell(elsewhere, saved)
        _show(fields, saved, elsewhere)
        st.rerun()
    return saved


def replace_all(
    fields: drafts.Draft, blocks: Collection[BlockDraft], entries: Collection[EntryDraft]
) -> None:
    """Say all of this instead, as a draft: it is saved at the end of the run, and can be undone."""
    undo.remember_all(fields)
    drafts.load_blocks(fields, blocks)
    drafts.load_entries(fields, entries)


def keep_mine(here: Current, fields: drafts.Draft, kept: Draft, mine: dict[str, Any]) -> None:
    """Keeps the fields of this tab in place of what the message was shown to say. If that has changed again,
    the question stays."""
    wanted = replace(kept, **_decoded(mine))
    saved = keep_draft(here.actor, wanted, began=kept, now=utc_now())
    _show(fields, saved, mine)
    _remember(fields, saved)


def is_refused(fields: drafts.Draft) -> bool:
    """Whether what is written could not be saved just now."""
    return bool(fields["kept"]["refused"])


def _create(here: Current, fanpage_id: int, fields: drafts.Draft) -> Draft | None:
    written = MessageDraft(fields["name"], drafts.blocks_of(fields), drafts.entries_of(fields))
    made = do(lambda: create_draft(here.actor, fanpage_id, written, now=utc_now()))
    fields["kept"]["refused"] = made is None
    if made is None:
        return None
    _remember(fields, made)
    held = st.session_state[_HELD]
    (address,) = [each for each in held if held[each] is fields]
    held[str(made.id)] = held.pop(address)
    st.query_params.from_dict({"id": str(made.id)})
    return made


def _keep(here: Current, wanted: Draft, began: Draft) -> Draft:
    try:
        return keep_draft(here.actor, wanted, began=began, now=utc_now())
    except Changed:  # what was written here waits beside it until somebody chooses
        put_aside(conflict.KIND, wanted.id, _encoded(differing(began, wanted)))
        return get_draft(wanted.id)


def _loaded(kept: Draft | None, begin: Collection[BlockDraft], name: str) -> drafts.Draft:
    fields = drafts.new_draft()
    if kept is None:
        drafts.load_blocks(fields, begin)
        fields["name"] = name
        kept = Draft(0, 0, name, list(begin), [])
    else:
        _show(fields, kept, FIELDS)
    _remember(fields, kept)
    return fields


def _show(fields: drafts.Draft, kept: Draft, names: Collection[str]) -> None:
    """Fills these fields anew, under new keys: Streamlit would else show what was typed in them."""
    if "blocks" in names:
        drafts.load_blocks(fields, kept.blocks)
    entries = kept.entry_points if "entry_points" in names else drafts.entries_of(fields)
    if "name" in names:
        fields["name"] = kept.name
    if {"name", "entry_points"} & set(names):
        drafts.load_entries(fields, entries)


def _remember(fields: drafts.Draft, kept: Draft) -> None:
    """From here on this tab's changes are counted. The fields may say the same in other words (a comma in a
    keyword): to look at it is no change."""
    fields["kept"] = {
        "began": _encoded({name: getattr(kept, name) for name in FIELDS}),
        "opened": _written(fields),
        "refused": False,
    }


def _began(fields: drafts.Draft, kept: Draft) -> Draft:
    """The message as this tab's fields were filled from."""
    return replace(kept, **_decoded(fields["kept"]["began"]))


def _mine(fields: drafts.Draft) -> dict[str, Any]:
    """What was changed here. A name that is missing or too long is not kept: the last one stays."""
    written, opened = _written(fields), fields["kept"]["opened"]
    changed = {name: value for name, value in written.items() if value != opened[name]}
    if "name" in changed and check_name(changed["name"]):
        del changed["name"]
    return _decoded(changed)


def _unsaved(fields: drafts.Draft) -> bool:
    return bool(_mine(fields))


def _written(fields: drafts.Draft) -> dict[str, Any]:
    blocks, entries = drafts.blocks_of(fields), drafts.entries_of(fields)
    return _encoded({"name": fields["name"], "blocks": blocks, "entry_points": entries})


def _encoded(values: dict[str, Any]) -> dict[str, Any]:
    """As plain values, which outlive a reload of our classes."""
    stored = to_stored(values.get("blocks", ()), values.get("entry_points", ()))
    return {name: stored.get(name, value) for name, value in values.items()}


def _decoded(values: dict[str, Any]) -> dict[str, Any]:
    found = dict(values)
    if "blocks" in values:
        found["blocks"] = blocks_in(values)
    if "entry_points" in values:
        found["entry_points"] = entries_in(values)
    return found


def _tell(fields: Collection[str], kept: Draft) -> None:
    """Who changed what elsewhere; about what waits for a choice the page itself asks."""
    asked = fields_of(conflict.KIND, kept.id)
    told = [change for change in kept.changes if change.field in fields and change.field not in asked]
    if told:
        words = _("Changed elsewhere in the meantime: {changes}.", changes=changes_text(told))
        flash(words, icon=":material/sync:")
