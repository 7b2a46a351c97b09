"""The tags of a customer: chosen among those there are, or written anew."""

from __future__ import annotations

import streamlit as st

from core.accounts.rules import Permission
from core.clock import utc_now
from core.consent.customer_queries import CustomerView
from core.customers.tag_actions import add_tag, remove_tag
from core.customers.tags import list_tags
from core.text.normalise import name_key
from pages.components.session import attempt, current, flash
from pages.components.texts import _


def draw_tags(customer: CustomerView) -> None:
    """A change is saved at once; what is refused is told, and the tags are shown as they are."""
    key = f"customer_{customer.id}_tags"
    known = [tag.name for tag in list_tags(customer.fanpage_id)]
    st.session_state[key] = list(customer.tags)
    st.multiselect(
        _("Tags"),
        sorted({*known, *customer.tags}, key=name_key),
        key=key,
        placeholder=_("Choose a tag or write a new one"),
        accept_new_options=True,
        disabled=not current().actor.may(Permission.EDIT),
        on_change=_save,
        args=(customer, key),
    )


def _save(customer: CustomerView, key: str) -> None:
    wanted, by = st.session_state[key], current().actor
    for name in [name for name in wanted if name not in customer.tags]:
        _said(attempt(lambda name=name: add_tag(by, customer.id, name, now=utc_now()))[0])  # type: ignore[misc]
    for name in [name for name in customer.tags if name not in wanted]:
        _said(attempt(lambda name=name: remove_tag(by, customer.id, name, now=utc_now()))[0])  # type: ignore[misc]


def _said(refused: str | None) -> None:
    if refused:
        flash(refused, ":material/error:")
