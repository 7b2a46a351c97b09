"""Importing opt-ins: choose a topic and a file, see what would happen, and hand it over to the worker.

The session keeps plain values only: the outcome of the last check.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import streamlit as st

from core.clock import utc_now
from core.consent.import_columns import WANTED
from core.consent.import_runs import begin_import
from core.consent.imports import ImportOutcome, import_opt_ins
from core.consent.queries import TopicView
from core.errors import N_
from core.spreadsheets.column import Column
from core.spreadsheets.workbook_writer import workbook_file
from pages.components import page_registry
from pages.components.chosen import keep_chosen
from pages.components.dialogs import dialog, run_and_close
from pages.components.export import XLSX_TYPE
from pages.components.session import attempt, current
from pages.components.texts import _, n_
from pages.opt_ins.import_result import draw_outcome, plain

KEY, CHECKED = "opt_in_import", "opt_in_import_checked"
CHECKED_AT_ONCE = 1_000_000  # bytes; a larger file would keep its reader waiting
_COLUMNS = tuple(Column(name, name, 28) for name in WANTED)
_SAMPLE = ("25012345678901234", "token-1", "2026-03-31T09:30:00+07:00", "Báo tôi khi có hàng", "VIP; Quận 7")


def draw_import_dialogs(fanpage_id: int, topics: list[TopicView]) -> None:
    """The dialog that takes a file; imports.py shows what becomes of it."""
    dialog(KEY, _("Import opt-ins"), partial(_choose, fanpage_id, topics), width="medium", closed=_forget)


def _choose(fanpage_id: int, topics: list[TopicView]) -> None:
    if not topics:
        st.markdown(_("Create a topic first: every opt-in you import needs one."))
        page_registry.link("topics", _("Go to OTN topics"), icon=":material/label:")
        return
    names = {topic.id: topic.name for topic in topics}
    topic_id = st.selectbox(
        _("Topic these customers agreed to"),
        list(names),
        index=None,
        placeholder=_("Choose a topic"),
        key=keep_chosen("opt_in_import_topic"),
        format_func=lambda id_: names.get(id_, ""),
    )
    _columns()
    file = st.file_uploader(_("CSV file or Excel workbook (.xlsx)"), key="opt_in_import_file")
    st.caption(
        _(
            "Up to {megabytes} MB, about 100,000 rows. For a larger file, ask the person who runs "
            "the server to run {command}",
            megabytes=st.get_option("server.maxUploadSize"),
            command="`python -m core optin import FILE.csv --topic NAME`",
        )
    )
    if file is None:
        return
    if topic_id is None:
        st.info(_("Choose the topic: nothing can be imported without one."), icon=":material/label:")
        return
    if file.size > CHECKED_AT_ONCE:
        st.info(_("This file is large, so its rows are checked while they are imported."))
        _button(fanpage_id, topic_id, file, None)
        return
    checked = _check(fanpage_id, topic_id, file)
    if checked is not None:
        draw_outcome(checked, _("Can be imported"), fanpage_id)
        _button(fanpage_id, topic_id, file, checked["imported"])


def _columns() -> None:
    st.caption(
        _(
            "One row per opt-in, with the columns psid, token and consented_at; add promise and "
            "tags if you have them (separate several tags with commas). Times without a time zone "
            "are read in the fanpage's time zone. In a spreadsheet, format the ID columns as text: "
            "a number keeps only 15 digits."
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
            error, outcome = attempt(lambda: _would(fanpage_id, topic_id, file))
        if error is not None or outcome is None:
            st.error(error, icon=":material/error:")
            return None
        kept = st.session_state[CHECKED] = {"about": about, **plain(outcome)}
    return kept


def _button(fanpage_id: int, topic_id: int, file: Any, count: int | None) -> None:
    words = _("Import") if count is None else n_("Import {n} opt-in", "Import {n} opt-ins", count)
    with st.container(horizontal=True, horizontal_alignment="right"):
        st.button(
            words,
            key="opt_in_import_save",
            type="primary",
            disabled=count == 0,
            on_click=run_and_close,
            args=(KEY, lambda: _begin(fanpage_id, topic_id, file)),
        )


def _begin(fanpage_id: int, topic_id: int, file: Any) -> None:
    by, data = current().actor, file.getvalue()
    begin_import(by, fanpage_id, topic_id=topic_id, file_name=file.name, data=data, now=utc_now())
    _forget()


def _would(fanpage_id: int, topic_id: int, file: Any) -> ImportOutcome:
    by, data = current().actor, file.getvalue()
    return import_opt_ins(by, fanpage_id, topic_id=topic_id, data=data, now=utc_now(), only_check=True)


def _forget() -> None:
    st.session_state.pop(CHECKED, None)
