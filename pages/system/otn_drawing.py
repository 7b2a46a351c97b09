"""A drawing of where one-time notifications are asked for: our own, after Facebook's settings."""

from __future__ import annotations

from html import escape
from pathlib import Path

import streamlit as st

from pages.components.texts import _

_STYLES = Path(__file__).with_name("set_up.css")


def draw_otn_request() -> None:
    """The settings of a fanpage, with the button to press."""
    menu = [_("General"), _("Messaging"), _("Advanced Messaging"), _("Page roles")]
    items = "".join(
        f'<li class="{"here" if n == 2 else ""}">{escape(each)}</li>' for n, each in enumerate(menu)
    )
    rows = "".join(
        f'<div class="row{" here" if wanted else ""}"><span>{escape(name)}</span><b>{escape(verb)}</b></div>'
        for name, verb, wanted in (
            (_("Subscription messaging"), _("Request"), False),
            (_("One-Time Notification"), _("Request"), True),
        )
    )
    said = _(
        "Illustration: in the fanpage's settings choose Advanced Messaging, and press “Request” "
        "beside “One-Time Notification”."
    )
    heading = _("Requested features")
    st.html(_STYLES)
    st.html(
        f'<div class="otn-drawing" role="img" aria-label="{escape(said)}"><ul>{items}</ul>'
        f"<div><p>{escape(heading)}</p>{rows}</div></div>"
    )
