"""Playing a demo customer: who, what they can do on their phone, and what they have received."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Any

import streamlit as st

from core.consent.customer_queries import find_customer
from core.conversation.blocks.bubble import Bubble, Shape, Tap
from core.conversation.preview import bubbles_of_wire
from core.errors import N_
from core.fanpages.queries import FanpageView
from core.pictures.attachments import with_names
from core.settings import settings
from core.simulator.control_client import NotPossibleForPerson, SimulatorClient, SimulatorUnreachable
from core.text.catalogues import language_of, say_in
from pages.components import page_registry
from pages.components.first_values import show_first
from pages.components.phone_taps import OnTap
from pages.components.session import flash
from pages.components.texts import _, when

_NAME = N_("{first} {last}")
HABITS = {
    "passive": N_("played by you"),
    "taps_at_once": N_("agrees at once"),
    "taps_later": N_("agrees a little later"),
    "never_taps": N_("reads, never agrees"),
    "ignores": N_("opens nothing"),
    "blocks": N_("blocks the fanpage when notified"),
}
QUIET_SECONDS = 30 * 60  # after such a pause the thread prints the time
SHOWN_BUBBLES = 60
NEW_NAMES = (
    ("Ngọc Diệp", "Trương"),
    ("Quang Huy", "Đinh"),
    ("Bảo Trân", "Lý"),
    ("Hải Yến", "Mai"),
    ("Tuấn Kiệt", "Phan"),
    ("Thuỳ Dương", "Tạ"),
)
_WHO = "person"  # in the address
_PLAYED = "phone_played"  # in the session, beyond this page
Person = dict[str, Any]


def line() -> SimulatorClient:
    """A client of the simulator of this machine."""
    return SimulatorClient(f"http://127.0.0.1:{settings().simulator_port}", timeout_seconds=5)


def name_of(person: Person) -> str:
    """First and last name in the order of the person's own language."""
    pattern = say_in(language_of(person["locale"]))(_NAME)
    return pattern.format(first=person["first_name"], last=person["last_name"]).strip()


def choose_person(people: list[Person], page_id: str) -> str | None:
    """The customer being played; those without habits of their own come first."""
    ordered = sorted(people, key=lambda each: (each["habit"] != "passive", name_of(each)))
    words = {each["psid"]: f"{name_of(each)} · {_(HABITS[each['habit']])}" for each in ordered}
    # A reload forgets what was chosen, the address does not; a look at another page forgets both.
    played = st.query_params.get(_WHO, st.session_state.get(_PLAYED))
    if played in words:
        show_first("phone_person", played)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        psid: str | None = st.selectbox(
            _("You are"), list(words), format_func=lambda key: words.get(key, key), key="phone_person"
        )
        st.button(
            _("New customer"),
            key="phone_person_add",
            icon=":material/person_add:",
            on_click=_add_person,
            args=(page_id, people),
        )
    if psid is not None:
        st.query_params[_WHO] = st.session_state[_PLAYED] = psid
    return psid


def _add_person(page_id: str, people: list[Person]) -> None:
    taken = {(each["first_name"], each["last_name"]) for each in people}
    first, last = random.choice([name for name in NEW_NAMES if name not in taken] or NEW_NAMES)

    def add(phone: SimulatorClient) -> None:
        made = phone.add_people(page_id, [{"first_name": first, "last_name": last}])[0]
        st.session_state["phone_person"] = made["psid"]

    _do(add)


def _do(act: Callable[[SimulatorClient], object]) -> None:
    try:
        with line() as phone:
            act(phone)
    except NotPossibleForPerson:
        flash(_("That is no longer possible on this phone."), ":material/do_not_touch:")
    except SimulatorUnreachable:
        flash(_("The simulated Messenger is not responding."), ":material/cloud_off:")


def act(psid: str, name: str, **values: Any) -> None:
    """Let the person do something on their phone."""
    _do(lambda phone: phone.act(psid, name, **values))


def draw_person_state(person: Person) -> None:
    """Whether the fanpage may still write, in a line."""
    if not person["met"]:
        st.badge(_("Has not written to the fanpage yet"), icon=":material/waving_hand:", color="gray")
    elif person["blocked"]:
        st.badge(_("Has blocked the fanpage"), icon=":material/block:", color="red")
    elif person["window_open"]:
        until = when(datetime.fromtimestamp(person["window_until"], UTC))
        st.badge(_("Can be answered until {time}", time=until), icon=":material/lock_open:", color="green")
    else:
        text = _("24-hour window closed: only a one-time notification can arrive")
        st.badge(text, icon=":material/lock_clock:", color="gray")


def draw_typing_field(psid: str, name: str) -> None:
    """Where the customer types."""
    st.chat_input(
        _("Write as {name}", name=name),
        key="phone_say",
        on_submit=lambda: act(psid, "say", text=st.session_state["phone_say"]),
    )


def start(psid: str) -> Callable[[], None]:
    """What the one button of an empty conversation does."""
    return partial(act, psid, "get_started")


def tapper(psid: str) -> OnTap:
    """What a tap on the phone does: on "Notify Me", a quick reply, or a button."""

    def tap_on(bubble: Bubble, tap: Tap | None) -> None:
        if tap is None:
            act(psid, "notify_me", mid=bubble.key)
        elif tap not in bubble.replies:
            act(psid, "tap", mid=bubble.key, title=tap.title, payload=tap.payload)
        elif tap.asks:
            act(psid, "quick_reply", asks={"email": "user_email", "phone": "user_phone_number"}[tap.asks])
        else:
            act(psid, "quick_reply", title=tap.title, payload=tap.payload)

    return tap_on


def draw_more_actions(person: Person, fanpage: FanpageView) -> None:
    """What is done rarely: blocking, and starting over."""
    psid, blocked = person["psid"], person["blocked"]
    customer_id = find_customer(fanpage.id, psid)
    with st.popover(_("Actions"), icon=":material/more_horiz:"):
        if customer_id is not None:
            page_registry.link("customer", _("See this customer"), icon=":material/person:", id=customer_id)
        st.button(
            _("Unblock the fanpage") if blocked else _("Block the fanpage"),
            key="phone_block",
            icon=":material/block:",
            type="tertiary",
            on_click=lambda: _do(lambda phone: phone.change_person(psid, blocked=not blocked)),
        )
        st.button(
            _("Delete the conversation"),
            key="phone_delete",
            icon=":material/delete:",
            type="tertiary",
            help=_("The phone shows “Get Started” again. Opt-ins already given stay."),
            on_click=lambda: _do(lambda phone: phone.delete_thread(psid)),
        )


def drawn(bubbles: list[dict[str, Any]]) -> list[Bubble]:
    """The thread for the phone; a notification sent with a one-time opt-in says so."""
    shown: list[Bubble] = []
    before = 0.0
    for bubble in bubbles[-SHOWN_BUBBLES:]:
        at = when(datetime.fromtimestamp(bubble["at"], UTC)) if bubble["at"] - before > QUIET_SECONDS else ""
        before = bubble["at"]
        if bubble["by_token"]:
            shown.append(Bubble(Shape.NOTE, _("One-time notification: an opt-in was used"), at=at))
            at = ""
        mine, key = bubble["from"] == "person", bubble["mid"]
        shown += bubbles_of_wire(
            with_names(bubble["message"]), mine=mine, tapped=bubble["tapped"], at=at, key=key
        )
    return shown
