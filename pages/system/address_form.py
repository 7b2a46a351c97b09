"""The form for the two addresses that Meta asks for."""

from __future__ import annotations

import streamlit as st

from core.clock import utc_now
from core.fanpages import installation_checks, set_up_actions
from core.fanpages.set_up_queries import list_addresses
from core.fanpages.set_up_rules import Check
from pages.components.session import current, do
from pages.components.texts import _


def draw_address_form() -> None:
    """Keeps the addresses, and checks them at once."""
    known = list_addresses()
    with st.form("set_up_addresses", border=False):
        privacy = st.text_input(
            _("Privacy policy"),
            known.get(Check.PRIVACY, ""),
            key="address_privacy",
            placeholder="https://",
        )
        deletion = st.text_input(
            _("How customers can have their data deleted"),
            known.get(Check.DELETION, ""),
            key="address_deletion",
            placeholder="https://",
        )
        pressed = st.form_submit_button(_("Save and check"), key="address_save")
    if pressed:
        with st.spinner(_("Checking…")):
            saved = do(lambda: _save(privacy, deletion), done=_("The addresses are saved and checked."))
        if saved is not None:
            st.rerun()


def _save(privacy: str, deletion: str) -> None:
    set_up_actions.set_addresses(current().actor, privacy=privacy, deletion=deletion, now=utc_now())
    installation_checks.check_installation(now=utc_now())
