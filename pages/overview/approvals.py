"""Drafts that wait for the approval of whoever looks at the overview."""

from __future__ import annotations

import streamlit as st

from core.accounts.rules import Permission
from core.broadcasts.approval_queries import list_approval_requests
from pages.components import page_registry
from pages.components.markdown import escape_markdown
from pages.components.session import Current
from pages.components.texts import _, ago, who


def draw_approval_requests(here: Current, fanpage_id: int) -> None:
    """Shown to those who may launch, except to whoever asked."""
    if not here.actor.may(Permission.SEND):
        return
    for asked in list_approval_requests(fanpage_id):
        if asked.asked_by == here.actor.name:
            continue
        with st.container(key=f"approval_{asked.broadcast_id}", horizontal=True, vertical_alignment="center"):
            words = _("{who} asks for approval of a broadcast, {when}.")
            st.info(
                words.format(who=escape_markdown(who(asked.asked_by)), when=ago(asked.asked_at)),
                icon=":material/approval:",
                width="stretch",
            )
            label, to = asked.name, {"id": asked.broadcast_id, "step": "check"}
            page_registry.link("new_broadcast", label, icon=":material/arrow_forward:", **to)
