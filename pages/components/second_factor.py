"""Setting up and removing one's own second factor."""

from __future__ import annotations

import segno
import streamlit as st

from core.accounts import second_factor
from core.accounts.rules import Actor
from core.accounts.session_queries import SessionView
from core.clock import utc_now
from pages.components.session import do
from pages.components.texts import _


def draw_second_factor(here: SessionView | None, *, key: str) -> None:
    """What there is, and the way to have one or none."""
    if here is None:
        return
    if here.operator.has_second_factor:
        st.markdown(_("On: you are asked for a code from your phone when you sign in."))
        _draw_removal(here.actor, key=key)
    else:
        st.markdown(
            _("Off. If you turn it on, nobody who learns your password can get in without your phone.")
        )
        with st.expander(_("Set up a second factor"), icon=":material/phonelink_lock:"):
            draw_set_up(here.actor, key=key)


def draw_set_up(by: Actor, *, key: str) -> None:
    """A secret as QR code, and a field for the first code, which proves that the telephone has it."""
    secret = st.session_state.setdefault(f"{key}_secret", second_factor.fresh_secret())
    st.markdown(_("Scan this with an app such as Google Authenticator, Microsoft Authenticator or Aegis."))
    picture = segno.make(second_factor.address_of(secret, by.name), error="m")
    st.image(
        picture.svg_inline(scale=5, border=4, light="#fff"),
        width=220,
        alt=_("QR code for your authenticator app"),
    )
    st.caption(_("Or type it in by hand:"))
    st.code(" ".join(secret[i : i + 4] for i in range(0, len(secret), 4)), language=None)
    with st.form(f"{key}_form", border=False):
        code = st.text_input(_("Code shown in the app"), key=f"{key}_code", autocomplete="one-time-code")
        pressed = st.form_submit_button(_("Turn it on"), key=f"{key}_submit", type="primary")
    if not pressed:
        return

    def turn_on() -> bool:
        second_factor.enable(by, secret, code, now=utc_now())
        return True

    if do(turn_on, done=_("Your second factor is on.")):
        del st.session_state[f"{key}_secret"]
        st.rerun()


def _draw_removal(by: Actor, *, key: str) -> None:
    with st.expander(_("Remove it"), icon=":material/phonelink_erase:"), st.form(f"{key}_off", border=False):
        code = st.text_input(_("Code shown in the app"), key=f"{key}_off_code", autocomplete="one-time-code")
        pressed = st.form_submit_button(_("Turn it off"), key=f"{key}_off_submit")

    def turn_off() -> bool:
        second_factor.disable_own(by, code, now=utc_now())
        return True

    if pressed and do(turn_off, done=_("Your second factor is off.")):
        st.rerun()
