"""Erasing a customer for good: says what is lost, in numbers, and asks for a word of proof."""

from __future__ import annotations

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.accounts.rules import Permission
from core.clock import utc_now
from core.consent.customer_queries import CustomerView
from core.errors import N_, Invalid, problem
from core.forgetting.actions import forget
from core.forgetting.queries import RecordCounts, count_records_of
from pages.components.dialogs import confirm_buttons, dialog, open_dialog
from pages.components.markdown import escape_markdown
from pages.components.session import current
from pages.components.texts import _, n_

KEY = "customer_forget"
TYPED = "customer_forget_typed"
DIGITS = 4  # of the PSID's end


def draw_forgetting(slot: DeltaGenerator, customer: CustomerView) -> None:
    """The button, for admins, and its dialog."""
    if not current().actor.may(Permission.ADMIN):
        return
    slot.button(
        _("Erase…"), key="customer_erase", icon=":material/person_remove:", on_click=open_dialog, args=(KEY,)
    )
    whom = escape_markdown(customer.name or customer.psid)
    dialog(KEY, _("Permanently erase {name}?", name=whom), lambda: _draw(customer), closed=_clear)


def _draw(customer: CustomerView) -> None:
    traces = count_records_of(customer.id)
    for line in (_consequence(traces), _what_stays(), _what_is_beyond_us()):
        st.markdown(line)
    st.text_input(
        _("To confirm, type the last {n} digits of the PSID {psid}", n=DIGITS, psid=customer.psid),
        key=TYPED,
        autocomplete="off",
    )
    confirm_buttons(
        KEY, _("Erase permanently"), lambda: _erase(customer), done=_("This customer has been erased.")
    )


def _consequence(traces: RecordCounts) -> str:
    erased = _("The name, PSID, messages and everything else about this customer will be erased.")
    lost = n_(
        "**{n} unused opt-in will be lost.**",
        "**{n} unused opt-ins will be lost.**",
        traces.open_opt_ins,
    )
    kept = n_(
        "{n} delivery still counts in its broadcast, without a name.",
        "{n} deliveries still count in their broadcasts, without a name.",
        traces.deliveries,
    )
    said = [erased, lost if traces.open_opt_ins else "", _("**This can't be undone.**")]
    return " ".join(filter(None, [*said, kept if traces.deliveries else ""]))


def _what_stays() -> str:
    return _(
        "No old file or late webhook can bring them back. If they write to the fanpage again, they "
        "are a new customer."
    )


def _what_is_beyond_us() -> str:
    return _(
        "Earlier backups and exported files still contain their data; Messenger keeps its own copy of "
        "the conversation."
    )


def _erase(customer: CustomerView) -> None:
    if st.session_state.get(TYPED, "").strip() != customer.psid[-DIGITS:]:
        wrong = N_("These are not the last {n} digits of this customer's PSID.")
        raise Invalid([problem("psid", wrong, n=DIGITS)])
    forget(current().actor, customer.fanpage_id, customer.psid, now=utc_now())
    _clear()


def _clear() -> None:
    st.session_state.pop(TYPED, None)
