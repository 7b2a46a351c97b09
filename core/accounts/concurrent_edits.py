"""What several people write of one thing at a time: which fields differ, and who changed each last (pure).

Drafts of broadcasts and of messages are kept by these rules.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from core.errors import Change


def differing(one: object, other: object, fields: Collection[str]) -> dict[str, Any]:
    """The fields in which `other` differs from `one`, with the values of `other`."""
    return {name: getattr(other, name) for name in fields if getattr(one, name) != getattr(other, name)}


def clashing(
    mine: Mapping[str, Any], began: object, theirs: object, changes: Sequence[Change]
) -> list[Change]:
    """The last changes of those fields that both sides changed since `began`, and not to the same value."""
    both = {
        name
        for name, value in mine.items()
        if getattr(theirs, name) != getattr(began, name) and getattr(theirs, name) != value
    }
    return [change for change in changes if change.field in both]


def remembered(
    changes: Mapping[str, Any], fields: Collection[str], *, version: int, by: str, at: datetime
) -> dict[str, Any]:
    """`changes` as a table keeps them, with these fields changed last by `by`."""
    said = {"version": version, "by": by, "at": at.isoformat()}
    return {**changes, **{field: dict(said) for field in fields}}


def last_changes(changes: Mapping[str, Any]) -> list[Change]:
    """The last change of each field, the earliest first."""
    found = [
        Change(field, said["version"], said["by"], datetime.fromisoformat(said["at"]))
        for field, said in changes.items()
    ]
    return sorted(found, key=lambda change: change.at)
