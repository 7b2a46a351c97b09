"""What starts a message (pure): which one an act of a customer calls for, and the entry points of a message.

All that a kind of entry point is stands in one file of core/conversation/entry_kinds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from core.conversation.drafts import EntryDraft
from core.conversation.entry_kinds.kind import CustomerAct, Fields, FoundEntry, KnownEntry
from core.conversation.entry_kinds.registry import COMPOSED, KINDS, TAPPED
from core.errors import N_, Problem, problem

ENTRIES_LIMIT = 50


def find_entry(
    known: Sequence[KnownEntry],
    *,
    text: str | None = None,
    payload: str | None = None,
    ref: str | None = None,
    comment: str | None = None,
    has_message: bool = True,
) -> FoundEntry | None:
    """The entry point that an act of a customer leads to; None when the bot has nothing to say.

    The kinds are asked in the order of their registry: the ref of a link comes first, then the payload of a
    tap, then the words that were written.

    `has_message` says whether the message that the payload names is one of the fanpage's.
    """
    act = CustomerAct(text, payload, ref, comment, has_message)
    asked = (kind.find([entry for entry in known if entry.kind == name], act) for name, kind in KINDS.items())
    return next((found for found in asked if found), None)


def message_in(payload: str | None) -> int | None:
    """The message that the payload of a tap leads to."""
    found = (kind.message_in(payload) for kind in TAPPED)
    return next((message_id for message_id in found if message_id is not None), None)


def entry_key(kind: str, value: str) -> str:
    """Two entry points of a kind are the same one when their keys are equal."""
    known = COMPOSED[kind]
    return known.key(known.clean(EntryDraft(kind, None, value)).value)


def clean_entry(entry: EntryDraft) -> EntryDraft:
    """An entry point as it is kept."""
    return COMPOSED[entry.kind].clean(entry) if entry.kind in COMPOSED else entry


def check_entry_points(entry_points: Sequence[EntryDraft]) -> list[Problem]:
    """What is wrong with the entry points of one message, apart from what other messages have."""
    found: list[Problem] = []
    seen: set[tuple[str, str]] = set()
    if len(entry_points) > ENTRIES_LIMIT:
        found.append(
            problem(
                "entry_points", N_("A message can have at most {limit} entry points."), limit=ENTRIES_LIMIT
            )
        )
    for entry in map(clean_entry, entry_points):
        kind = COMPOSED.get(entry.kind)
        if kind is None:
            words = N_("There is no entry point called “{kind}”.")
            found.append(problem("entry_points", words, kind=entry.kind))
            continue
        found += kind.check(entry)
        key = (entry.kind, kind.key(entry.value))
        if key in seen:
            found.append(problem("entry_points", N_("“{value}” appears twice."), value=entry.value))
        seen.add(key)
    return found


def check_taken(entry_points: Sequence[EntryDraft], owners: Mapping[tuple[str, str], str]) -> list[Problem]:
    """What is wrong because an entry point leads to another message already; `owners` names those that have
    one, by kind and `entry_key`."""
    wanted = [(entry, owners.get((entry.kind, entry_key(entry.kind, entry.value)))) for entry in entry_points]
    return [COMPOSED[entry.kind].taken(entry, owner) for entry, owner in wanted if owner is not None]


def typed_entries(fields: Fields) -> list[EntryDraft]:
    """The entry points that the composer's fields hold."""
    return [entry for kind in COMPOSED.values() for entry in kind.typed(fields)]


def fields_of(entry_points: Sequence[EntryDraft]) -> dict[str, Any]:
    """The composer's fields that hold these entry points."""
    return {
        name: value
        for kind in COMPOSED.values()
        for name, value in kind.fill([entry for entry in entry_points if entry.kind == kind.name]).items()
    }
