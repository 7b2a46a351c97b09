"""What became of each row of an imported file, or would become of it."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

import streamlit as st

from core.consent.imports import ImportOutcome
from core.errors import N_, Problem
from core.spreadsheets.column import Column
from core.spreadsheets.csv_writer import csv_file
from pages.components import tables
from pages.components.export import noted
from pages.components.session import current
from pages.components.tables import table
from pages.components.texts import _, n_, number

_BAD_ROWS = (Column("row", N_("Row")), Column("reason", N_("Reason")))
SHOWN = 8  # bad rows on the screen; the download has all


def plain(outcome: ImportOutcome) -> dict[str, Any]:
    """The outcome as plain values in the reader's language, as a session may keep them."""
    return {
        "imported": outcome.imported,
        "withdrawn": outcome.withdrawn,
        "duplicates": outcome.duplicates,
        "rejected": [(bad.row, said(bad.problem)) for bad in outcome.rejected],
        "notes": [said(note) for note in outcome.notes],
    }


def said(problem: Problem) -> str:
    """A problem of a file in the reader's language, figures written their way."""
    values = {name: number(each) if isinstance(each, float) else each for name, each in problem.values}
    return _(problem.template, **values)


def _show_notes(notes: list[str]) -> None:
    """As HTML, for they quote the file: names of its sheets and columns."""
    if notes:
        lines = "".join(f"<li>{escape(note)}</li>" for note in notes)
        st.html(f'<ul class="otn-notes">{lines}</ul>')


def draw_outcome(outcome: dict[str, Any], good: str, fanpage_id: int) -> None:
    """How many rows were good, known already or bad; `good` is the label of the first."""
    rejected = outcome["rejected"]
    done, known, bad = st.columns(3)
    done.metric(good, number(outcome["imported"]))
    known.metric(
        _("Already there"),
        number(outcome["duplicates"]),
        help=_(
            "Their token is already in the panel, or appears twice in the file. They are left as they are."
        ),
    )
    bad.metric(_("Can't be read"), number(len(rejected)))
    _show_notes(outcome["notes"])
    if outcome["withdrawn"]:
        st.info(
            n_(
                "{n} opt-in is kept but will not be used: its customer has opted out since, or has "
                "not tapped again.",
                "{n} opt-ins are kept but will not be used: their customers have opted out since, "
                "or have not tapped again.",
                outcome["withdrawn"],
            ),
            icon=":material/notifications_off:",
        )
    if not rejected:
        return
    columns = [
        tables.Column(_("Row"), lambda bad: bad[0], "15%"),
        tables.Column(_("Reason"), lambda bad: bad[1]),
    ]
    table(columns, rejected[:SHOWN], key="opt_in_import_rejected_rows")
    label = n_(
        "Download the {n} row that can't be read",
        "Download all {n} rows that can't be read",
        len(rejected),
    )
    rejected_rows("opt_in_import_rejected", label, fanpage_id, rejected)


def rejected_rows(key: str, label: str, fanpage_id: int, rows: Sequence[tuple[int, str]]) -> None:
    """The button for the rows of a file that cannot be read, for who may export."""
    by = current().actor
    if not by.may_export:
        return
    name = "opt-ins-rejected.csv"
    st.download_button(
        label,
        noted(by, name, [fanpage_id], lambda: b"".join(csv_file(_BAD_ROWS, rows))),
        file_name=name,
        mime="text/csv",
        key=key,
        type="tertiary",
        icon=":material/download:",
        on_click="ignore",
    )
