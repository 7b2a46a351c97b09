"""What the fields of a block say that is not drawn any more: Streamlit forgets them, the block keeps it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import streamlit as st

_NOT_TYPED = ("kind", "stop", "asks_topic")


def typed_words(block: dict[str, Any]) -> str:
    """What its fields say, also what was typed since they were last drawn. The block keeps it."""
    said = _typed(block, f"block_{block['uid']}")
    said += [word for row in _rows(block) for word in _typed(row, f"row_{row['uid']}")]
    return "\n".join(word for word in said if word)


def lists_in(block: dict[str, Any]) -> Iterator[list[dict[str, Any]]]:
    """The lists of a block from which something can be removed: its cards, its buttons, theirs."""
    for value in block.values():
        if isinstance(value, list):
            yield value
            for row in value:
                yield from lists_in(row)


def _rows(block: dict[str, Any]) -> Iterator[dict[str, Any]]:
    return (row for listed in lists_in(block) for row in listed)


def _typed(holder: dict[str, Any], key: str) -> list[str]:
    said = []
    for field, kept in holder.items():
        if isinstance(kept, str) and field not in _NOT_TYPED:
            holder[field] = st.session_state.get(f"{key}_{field}", kept)
            said.append(holder[field])
    return said
