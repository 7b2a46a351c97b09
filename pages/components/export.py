"""One button for a list as a file: a workbook for people, or CSV for other programs.

A download is made when it is asked for, in a thread without a session: what depends on the reader (language,
zone) is settled while the page is drawn.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

import streamlit as st

from core.accounts.exporting import record_export
from core.accounts.rules import Actor
from core.clock import utc_now
from pages.components.session import current
from pages.components.states import STATES
from pages.components.texts import _, speaker

XLSX_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def export_menu(
    key: str,
    file_name: str,
    fanpage_ids: Collection[int] | None,
    *,
    csv: Callable[[], bytes],
    workbook: Callable[[], bytes],
    help: str,
) -> None:
    """`file_name` without its ending; `fanpage_ids` are those that the list is of, None for all. It is
    offered to who may export, asked again and written down."""
    by = current().actor
    if not by.may_export:
        return

    with st.popover(_("Export"), icon=":material/download:", key=f"{key}_menu"):
        st.caption(help)
        st.download_button(
            _("Excel workbook (.xlsx)"),
            noted(by, f"{file_name}.xlsx", fanpage_ids, workbook),
            file_name=f"{file_name}.xlsx",
            mime=XLSX_TYPE,
            key=f"{key}_xlsx",
            icon=":material/table_view:",
            width="stretch",
            on_click="ignore",
        )
        st.download_button(
            _("CSV for other programs"),
            noted(by, f"{file_name}.csv", fanpage_ids, csv),
            file_name=f"{file_name}.csv",
            mime="text/csv",
            key=key,
            icon=":material/data_object:",
            width="stretch",
            on_click="ignore",
        )


def noted(
    by: Actor, file_name: str, fanpage_ids: Collection[int] | None, make: Callable[[], bytes]
) -> Callable[[], bytes]:
    """Makes a file when it is asked for, after whether they still may was asked and that was written down."""

    def made() -> bytes:
        record_export(by, file_name, fanpage_ids, now=utc_now())
        return make()

    return made


def in_words(words: Mapping[str, str]) -> Callable[[str], str]:
    """Turns a code into the reader's word for it; one without a word stays."""
    say = speaker()
    return lambda code: say(words[code]) if code in words else code


def state_in_words(kind: str) -> Callable[[str], str]:
    """As `in_words`, for the states of a kind of thing."""
    return in_words({state: word for state, (word, _icon, _colour) in STATES[kind].items()})
