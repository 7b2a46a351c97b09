"""The steps from a Facebook app to the first opt-in, with what this installation already has."""

from __future__ import annotations

import streamlit as st

from core.errors import N_
from core.fanpages.queries import FanpageView
from core.fanpages.rules import WEBHOOK_FIELDS
from core.settings import settings
from core.text.languages import SOURCE, languages, say_in
from pages.components.texts import _

# Meta's own words for the way to the feature; menus move, so every language helps to find them.
ADVANCED_MESSAGING = N_(
    "Page Settings → Advanced Messaging → Requested features → One-Time Notification → Request → Confirm"
)


def draw_going_live(real: FanpageView | None) -> None:
    """`real`: a connected fanpage that is not the demo's, if there is one."""
    with st.container(key="going_live", gap="small"):
        _app()
        _secrets()
        _webhook()
        _feature()
        _connection(real)
        _try_out()


def _step(number: int, title: str, *, done: bool | None = None) -> None:
    """The heading of a step; `done` None: the panel cannot know whether it has been done."""
    marks = {True: ":green[:material/check_circle:]", False: ":orange[:material/pending:]", None: ""}
    mark = marks[done]
    st.markdown(f"**{number}. {title}** {mark}")


def _app() -> None:
    _step(1, _("Make a Facebook app"))
    st.markdown(
        _(
            "At developers.facebook.com make an app of type Business and add Messenger. It needs the "
            "permissions `pages_messaging` and `pages_manage_metadata`, and must be in Live mode to reach "
            "people who do not work on the app."
        )
    )


def _secrets() -> None:
    has_secret = bool(settings().app_secret.get_secret_value())
    has_verify = bool(settings().verify_token.get_secret_value())
    _step(2, _("Tell this server the app's secrets"), done=has_secret and has_verify)
    st.markdown(
        _(
            "Write them to the file `.env` and start again: `OTN_APP_SECRET` (App settings → Basic → App "
            "secret) and `OTN_VERIFY_TOKEN` (any word you make up). They are never shown here."
        )
    )
    if not has_secret:
        st.caption(_("OTN_APP_SECRET is not set yet: webhooks of real fanpages are refused."))
    if not has_verify:
        st.caption(_("OTN_VERIFY_TOKEN is not set yet: Facebook cannot verify the webhook address."))


def _webhook() -> None:
    _step(3, _("Point the app's webhook to this server"))
    st.markdown(
        _(
            "Under Messenger → Webhooks enter your public HTTPS address followed by `/webhook`, and the "
            "verify token. Your web server must pass it on to port {port} of this machine:",
            port=settings().webhook_port,
        )
    )
    st.code("https://example.com/webhook", language=None)
    st.markdown(_("Tick these fields:"))
    st.code(", ".join(WEBHOOK_FIELDS), language=None, wrap_lines=True)


def _feature() -> None:
    _step(4, _("Ask Facebook for one-time notifications"))
    st.markdown(_("In the fanpage's settings, as its admin; it is usually granted at once:"))
    for code, name in languages().items():
        way = say_in(code)(ADVANCED_MESSAGING)
        if code == SOURCE or way != ADVANCED_MESSAGING:
            st.markdown(f"- {name}: {way}")
    st.caption(_("Facebook moves its menus: if you do not find it, search the settings for this name."))


def _connection(real: FanpageView | None) -> None:
    _step(5, _("Connect the fanpage"), done=real is not None)
    st.markdown(
        _(
            "Make a Page access token in the app (Messenger → API settings) and enter it here. The token is "
            "tried, the fields above are subscribed, and the Get Started button is set."
        )
    )


def _try_out() -> None:
    _step(6, _("Try it with your own phone"))
    st.markdown(
        _("Write to the fanpage. On the health page the last webhook must change within a few seconds.")
    )
