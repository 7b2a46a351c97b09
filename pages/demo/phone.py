"""A customer's phone: play one of the demo fanpage's customers and watch messages arrive."""

import streamlit as st

from core.fanpages.pictures import picture_of
from core.fanpages.queries import FanpageView
from core.simulator.control_client import SimulatorClient, SimulatorUnreachable
from core.text.catalogues import language_of
from pages.components.layout import empty_state, page_header
from pages.components.phone import draw_phone
from pages.components.session import current, own_fanpages
from pages.components.texts import _
from pages.demo import colleague, customer_phone, entry_points

REFRESH_SECONDS = 2


def draw_page() -> None:
    page_header(
        _("A customer's phone"),
        _("See what your customers see: write a keyword, agree to a notification, watch a broadcast arrive."),
        key="phone",
    )
    fanpage = next((each for each in own_fanpages(current().actor) if each.is_demo), None)
    if fanpage is None:
        empty_state("smartphone", _("The demo is not set up on this machine."), key="phone")
        return
    try:
        with customer_phone.line() as phone:
            people = phone.people(fanpage.page_id)
    except SimulatorUnreachable:
        _not_running()
        return
    psid = customer_phone.choose_person(people, fanpage.page_id)
    if psid is None:
        st.info(_("The demo has no customers yet; add one."), icon=":material/person_add:")
        return
    _phone(psid, fanpage)


@st.fragment(run_every=REFRESH_SECONDS)
def _phone(psid: str, fanpage: FanpageView) -> None:
    try:
        with customer_phone.line() as phone:
            _play(phone, psid, fanpage)
    except SimulatorUnreachable:
        _not_running()


def _play(phone: SimulatorClient, psid: str, fanpage: FanpageView) -> None:
    thread = phone.thread(psid)
    person, bubbles = thread["person"], thread["bubbles"]
    profile = phone.page(fanpage.page_id)["profile"]
    may_start = not person["met"] and not profile.get("ice_breakers")
    left, right = st.columns([5, 4], gap="large")
    with left:
        customer_phone.draw_person_state(person)
        customer_phone.draw_typing_field(psid, person["first_name"])
        entry_points.draw_chat(customer_phone.act, person, profile)
        entry_points.draw_suggestions(customer_phone.act, psid, fanpage)
        colleague.draw_colleague(person, fanpage)
        customer_phone.draw_more_actions(person, fanpage)
    with right:
        draw_phone(
            customer_phone.drawn(bubbles),
            language=language_of(person["locale"]),
            dark=st.context.theme.type == "dark",
            page_name=fanpage.name,
            picture=picture_of(fanpage.id),
            on_tap=customer_phone.tapper(psid),
            on_start=customer_phone.start(psid) if may_start else None,
            above=300,
            follow=True,
            greeting=entry_points.greeting_of(person, profile),
        )


def _not_running() -> None:
    st.warning(
        _("The simulated Messenger is not running. Start the demo with “make run”, then come back."),
        icon=":material/cloud_off:",
    )


draw_page()
