"""What became of each row of an imported file, or would become of it."""

from __future__ import annotations

from typing import Any

import streamlit as st

from core.consent.files import lines_of
from core.consent.imports import ImportOutcome
from pages.components.tables import Column, table
from pages.components.texts import _, n_, number

SHOWN = 8  # bad rows on the screen; the download has all


def plain(outcome: ImportOutcome) -> dict[str, Any]:
    """The outcome as plain values in the reader's language, as a session may keep them."""
    reasons = [(bad.row, _(bad.problem.template, **dict(bad.problem.values))) for bad in outcome.rejected]
    return {
        "imported": outcome.imported,
        "withdrawn": outcome.withdrawn,
        "duplicates": outcome.duplicates,
        "rejected": reasons,
    }


def show_outcome(outcome: dict[str, Any], good: str) -> None:
    rejected = outcome["rejected"]
    done, known, bad = st.columns(3)
    done.metric(good, number(outcome["imported"]))
    known.metric(
        _("Known already"),
        number(outcome["duplicates"]),
        help=_("Their token is in the panel, or twice in the file. They are left as they are."),
    )
    bad.metric(_("Cannot be read"), number(len(rejected)))
    if outcome["withdrawn"]:
        st.info(
            n_(
                "{n} opt-in is kept but never used: its customer has said no since, or has not tapped anew.",
                "{n} opt-ins are kept but never used: their customers have said no since, or have not tapped "
                "anew.",
                outcome["withdrawn"],
            ),
            icon=":material/notifications_off:",
        )
    if not rejected:
        return
    columns = [Column(_("Row"), lambda bad: bad[0], "15%"), Column(_("Reason"), lambda bad: bad[1])]
    table(columns, rejected[:SHOWN], key="opt_in_import_rejected_rows")
    st.download_button(
        n_(
            "Download the {n} row that cannot be read",
            "Download all {n} rows that cannot be read",
            len(rejected),
        ),
        "".join(lines_of(("row", "reason"), rejected)).encode("utf-8-sig"),
        file_name="opt-ins-rejected.csv",
        mime="text/csv",
        key="opt_in_import_rejected",
        type="tertiary",
        icon=":material/download:",
        on_click="ignore",
    )
