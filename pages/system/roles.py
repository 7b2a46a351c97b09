"""What each role may do, by the table that the actions are tested against."""

import streamlit as st

from core.accounts.capabilities import CAPABILITIES, Answer, Capability
from core.accounts.rules import Role
from core.errors import N_
from pages.components.layout import page_header
from pages.components.tables import Column, table
from pages.components.texts import _, state_label

_WORDS = {Answer.YES: N_("✓ yes"), Answer.IF_GRANTED: N_("if granted")}


def draw_page() -> None:
    page_header(_("Roles"), _("What each role may do. An admin assigns roles under Users."), key="roles")
    columns = [Column(_("What"), lambda row: _(row.words), "48%", wraps=True), *map(_column, Role)]
    table(columns, CAPABILITIES, key="roles")
    st.caption(
        _(
            "A user who only manages some fanpages can do all this there, but nothing that affects "
            "all fanpages: users, backups, connecting another fanpage, stopping all sending."
        )
    )


def _column(role: Role) -> Column:
    return Column(state_label("role", role)[0], lambda row: _cell(row, role), is_narrow=True)


def _cell(row: Capability, role: Role) -> str:
    words = _WORDS.get(row.answer(role))
    return _(words) if words else "–"


draw_page()
