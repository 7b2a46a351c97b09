"""What to do for each step of the set-up: what to click at Facebook, and what to copy where."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from core.errors import N_
from core.fanpages.queries import FanpageView
from core.fanpages.rules import WEBHOOK_FIELDS
from core.fanpages.set_up_rules import Step
from core.settings import settings
from core.text.catalogues import SOURCE, languages, say_in
from pages.components.dialogs import open_dialog
from pages.components.texts import _
from pages.system.address_form import draw_address_form
from pages.system.otn_drawing import draw_otn_request

TITLES: dict[Step, str] = {
    Step.APP: N_("Create a Facebook app and copy its secret"),
    Step.WEBHOOK: N_("Point the app's webhook to this server"),
    Step.TOKEN: N_("Connect the fanpage with its access token"),
    Step.PERMISSIONS: N_("Permissions of the access token"),
    Step.EVENTS: N_("Events of the fanpage and the Get Started button"),
    Step.OTN: N_("Ask Facebook for one-time notifications"),
    Step.ADDRESSES: N_("Privacy policy and deletion of data"),
    Step.LIVE: N_("Switch the app to Live"),
    Step.TRY: N_("Try it with your own phone"),
    Step.CLOCK: N_("The server's clock"),
    Step.PROCESSES: N_("Worker and webhook server"),
    Step.OTHER_APP: N_("Other apps on the fanpage"),
}
# Meta's own words for the way to the feature; menus move, so every language helps to find them.
ADVANCED_MESSAGING = N_(
    "Page Settings → Advanced Messaging → Requested features → One-Time Notification → Request → Confirm"
)
APPS = "https://developers.facebook.com/apps/"
OTN_GUIDE = "https://developers.facebook.com/docs/messenger-platform/send-messages/one-time-notification/"


def draw_guide(step: Step, fanpage: FanpageView | None) -> None:
    """The guide of a step, for this fanpage or for one that is still to be connected."""
    if guide := _GUIDES.get(step):
        guide(fanpage)


def _app(_fanpage: FanpageView | None) -> None:
    st.link_button(_("Open your apps on Facebook"), APPS, icon=":material/open_in_new:")
    st.markdown(
        _(
            "1. “Create app”, type **Business**; then add the product **Messenger**.\n"
            "2. Open App settings → Basic and copy the **App secret** into the file `.env` of this server.\n"
            "3. Make up a word of your own as the verify token; it goes into the same file.\n"
            "4. Start the server again (`make run`)."
        )
    )
    st.code("OTN_APP_SECRET=\nOTN_VERIFY_TOKEN=", language=None)


def _webhook(_fanpage: FanpageView | None) -> None:
    st.markdown(
        _(
            "1. Make your web server forward `/webhook` to port {port} of this machine, and write "
            "your public address into `.env` as `OTN_PUBLIC_URL`.\n2. In the app, open Messenger → "
            "Webhooks → “Add callback URL”, enter this address and your verify token, and press "
            "“Verify and save”:",
            port=settings().webhook_port,
        )
    )
    st.code(f"{settings().public_url or 'https://example.com'}/webhook", language=None)
    st.markdown(_("3. Tick these fields:"))
    st.code(", ".join(WEBHOOK_FIELDS), language=None, wrap_lines=True)


def _token(fanpage: FanpageView | None) -> None:
    st.markdown(
        _(
            "1. In the app, open Messenger → API settings → “Generate access tokens”, add the "
            "fanpage, and give it `pages_messaging` and `pages_manage_metadata`.\n2. Press "
            "“Generate token”, copy it, and paste it here. It is tested at once, stored encrypted, "
            "and never shown again."
        )
    )
    st.button(
        _("Connect a fanpage") if fanpage is None else _("New access token…"),
        key="step_connect",
        type="primary" if fanpage is None else "secondary",
        icon=":material/add_link:",
        on_click=open_dialog,
        args=("fanpage_new" if fanpage is None else "fanpage_again",),
    )


def _permissions(_fanpage: FanpageView | None) -> None:
    st.markdown(
        _(
            "`pages_messaging` to send, `pages_manage_metadata` to receive events. To reach people "
            "who have no role in the app, ask for **advanced access** to both under App review → "
            "Permissions and features."
        )
    )


def _events(_fanpage: FanpageView | None) -> None:
    st.markdown(
        _(
            "Done automatically when the fanpage is connected, and restored by every check. The "
            "app has to receive:"
        )
    )
    st.code(", ".join(WEBHOOK_FIELDS), language=None, wrap_lines=True)


def _otn(fanpage: FanpageView | None) -> None:
    st.markdown(_("In the fanpage's settings, as its admin; it is usually granted at once:"))
    draw_otn_request()
    for code, name in languages().items():
        way = say_in(code)(ADVANCED_MESSAGING)
        if code == SOURCE or way != ADVANCED_MESSAGING:
            st.markdown(f"- {name}: {way}")
    st.caption(_("Facebook moves its menus around: if you can't find it, search the settings for this name."))
    with st.container(key="otn_links", horizontal=True):
        if fanpage is not None:
            page = f"https://www.facebook.com/{fanpage.page_id}"
            st.link_button(_("Open the fanpage"), page, icon=":material/open_in_new:")
        st.link_button(_("Meta's guide"), OTN_GUIDE, icon=":material/menu_book:")


def _addresses(_fanpage: FanpageView | None) -> None:
    st.markdown(
        _(
            "Meta asks for both before an app goes Live. Enter them in the app under App settings "
            "→ Basic (“Privacy policy URL”, “User data deletion”), and here, where we check them "
            "regularly."
        )
    )
    draw_address_form()


def _live(_fanpage: FanpageView | None) -> None:
    st.link_button(_("Open your apps on Facebook"), APPS, icon=":material/open_in_new:")
    st.markdown(
        _(
            "At the top of the app's dashboard, set **App mode** to Live. In development mode "
            "Facebook only accepts messages to people with a role in the app: your test works, but "
            "customers get nothing."
        )
    )


def _try(_fanpage: FanpageView | None) -> None:
    st.markdown(
        _(
            "Write a word to the fanpage from your phone. It should appear here within seconds: "
            "that shows that Facebook reaches this server, and signs with the app secret you "
            "entered."
        )
    )


_GUIDES: dict[Step, Callable[[FanpageView | None], None]] = {
    Step.APP: _app,
    Step.WEBHOOK: _webhook,
    Step.TOKEN: _token,
    Step.PERMISSIONS: _permissions,
    Step.EVENTS: _events,
    Step.OTN: _otn,
    Step.ADDRESSES: _addresses,
    Step.LIVE: _live,
    Step.TRY: _try,
}
