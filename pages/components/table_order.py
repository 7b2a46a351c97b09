"""By what a list is sorted: kept in the address as `?sort=name`, or `?sort=-name` from the end."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from urllib.parse import urlencode

import streamlit as st

PARAMETER = "sort"


@dataclass(frozen=True)
class Order:
    """`by` is a column's key. `others` are the parameters of the address that a change of order keeps."""

    by: str
    falling: bool
    others: tuple[tuple[str, str], ...] = ()

    @property
    def word(self) -> str:
        return f"-{self.by}" if self.falling else self.by

    def address_of(self, key: str) -> str:
        """Where the heading of a column leads: its order, or the other way round when it has it already.
        What is large or late comes first at the first click on it."""
        falling = not self.falling if key == self.by else key not in ALPHABETICAL
        return "?" + urlencode([*self.others, (PARAMETER, f"-{key}" if falling else key)])

    def icon_of(self, key: str) -> str:
        if key != self.by:
            return "unfold_more"
        return "arrow_downward" if self.falling else "arrow_upward"

    def state_of(self, key: str) -> str:
        """How a column is sorted, as the attribute aria-sort says it."""
        if key != self.by:
            return "none"
        return "descending" if self.falling else "ascending"


ALPHABETICAL = frozenset({"name"})


def order_asked(keys: Collection[str], default: str, *, pager_key: str) -> Order:
    """The order that the address asks for, if it is one of these keys, or the default ("-at"). Another order
    begins at the first page again, so the headings forget the page."""
    asked = st.query_params.get(PARAMETER, "")
    word = asked if asked.removeprefix("-") in keys else default
    left_out = {PARAMETER, f"{pager_key}_page"}
    others = tuple((name, value) for name, value in st.query_params.items() if name not in left_out)
    return Order(word.removeprefix("-"), word.startswith("-"), others)
