"""Importing opt-ins: choose a topic and a file, see what would happen, import, see what happened.

The session keeps plain values only: the outcome of the last check and of the last import.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import streamlit as st

from core.clock import utc_now
from core.consent.import_columns import WANTED
from core.consent.imports import ImportOutcome, import_opt_ins
from core.consent.queries import TopicView
from core.errors import N_
from core.spreadsheets.column import Column
from core.spreadsheets.workbook_writer import workbook_file
from pages.components import page_registry
from pages.components.dialogs import close_dialog, dialog, open_dialog, run_and_close
from pages.components.export import XLSX_TYPE
from pages.components.session import attempt, current
from pages.components.texts import _, n_
from pages.opt_ins.import_result import draw_outcome, plain

KEY, DONE = "opt_in_import", "opt_in_import_done"
CHECKED, RESULT = "opt_in_import_checked", "opt_in_import_result"
_COLUMNS = tuple(Column(name, name, 28) for name in WANTED)
_SAMPLE = ("25012345678901234", "token-1", "2026-03-31T09:30:00+07:00", "Báo tôi khi có hàng")


def draw_import_dialogs(fanpage_id: int, topics: list[TopicView]) -> None:
    """The dialog that takes a file, and the one that says what became of it."""
    dialog(KEY, _("Import opt-ins"), partial(_choose, fanpage_id, topics), width="medium", closed=_forget)
    dialog(DONE, _("Import finished"), _finished, width="medium", closed=_forget)


def _choose(fanpage_id: int, topics: list[TopicView]) -> None:
    if not topics:
        st.markdown(_("Create a topic first: every opt-in you import needs one."))
        page_registry.link("topics", _("Go to OTN topics"), icon=":material/label:")
        return
    names = {topic.id: topic.name for topic in topics}
    topic_id = st.selectbox(
        _("Topic these customers agreed to"),
        list(names),
        key="opt_in_import_topic",
        format_func=lambda id_: names.get(id_, ""),
    )
    _columns()
    file = st.file_uploader(_("CSV file or Excel workbook (.xlsx)"), key="opt_in_import_file")
    if file is None or topic_id is None:
        return
    checked = _check(fanpage_id, topic_id, file)
    if checked is not None:
        draw_outcome(checked, _("Can be imported"))
        _button(fanpage_id, topic_id, file, checked["imported"])


def _columns() -> None:
    st.caption(
        _(
            "One row per opt-in, with the columns psid, token and consented_at; promise if you have it. "
            "Times without an offset are read in the fanpage's time zone. In a spreadsheet, format the "
            "columns of ids as text: a number keeps only 15 digits."
        )
    )
    st.download_button(
        _("Sample file"),
        _sample,
        file_name="opt-ins-sample.xlsx",
        mime=XLSX_TYPE,
        key="opt_in_import_sample",
        type="tertiary",
        icon=":material/description:",
        on_click="ignore",
    )


def _sample() -> bytes:
    """A workbook, for its columns are text: a spreadsheet that opens CSV rounds the ids at once."""
    return workbook_file(N_("Opt-ins"), _COLUMNS, [_SAMPLE], zone="UTC")


def _check(fanpage_id: int, topic_id: int, file: Any) -> dict[str, Any] | None:
    """What an import would do, worked out once per file and topic."""
    about = (file.file_id, topic_id)
    kept = st.session_state.get(CHECKED)
    if kept is None or kept["about"] != about:
        with st.spinner(_("Checking the file…")):
            error, outcome = attempt(lambda: _import(fanpage_id, topic_id, file, only_check=True))
        if error is not None or outcome is None:
            st.error(error, icon=":material/error:")
            return None
        kept = st.session_state[CHECKED] = {"about": about, **plain(outcome)}
    return kept


def _button(fanpage_id: int, topic_id: int, file: Any, count: int) -> None:
    with st.container(horizontal=True, horizontal_alignment="right"):
        st.button(
            n_("Import {n} opt-in", "Import {n} opt-ins", count),
            key="opt_in_import_save",
            type="primary",
            disabled=not count,
            on_click=run_and_close,
            args=(KEY, lambda: _do(fanpage_id, topic_id, file)),
        )


def _do(fanpage_id: int, topic_id: int, file: Any) -> None:
    outcome = _import(fanpage_id, topic_id, file)
    _forget()
    st.session_state[RESULT] = plain(outcome)
    open_dialog(DONE)


def _import(fanpage_id: int, topic_id: int, file: Any, *, only_check: bool = False) -> ImportOutcome:
    by, data = current().actor, file.getvalue()
    return import_opt_ins(by, fanpage_id, topic_id=topic_id, data=data, now=utc_now(), only_check=only_check)


def _finished() -> None:
    result = st.session_state.get(RESULT)
    if result is not None:
        draw_outcome(result, _("Imported"))
    with st.container(horizontal=True, horizontal_alignment="right"):
        st.button(_("Close"), key="opt_in_import_close", type="primary", on_click=close_dialog, args=(DONE,))


def _forget() -> None:
    for key in (CHECKED, RESULT):
        st.session_state.pop(key, None)
