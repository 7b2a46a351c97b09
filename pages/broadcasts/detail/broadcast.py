"""One broadcast, `?id=3`: its progress by itself, what it needs from you, and the people behind it."""

import streamlit as st

from core.accounts.rules import Permission
from core.broadcasts.queries import BroadcastView, get_broadcast
from core.broadcasts.rules import BroadcastState
from core.clock import utc_now
from core.conversation.preview import bubbles_of
from core.errors import NotFound
from core.fanpages.pictures import picture_of
from core.fanpages.queries import FanpageView, get_fanpage
from core.testers.rules import About
from pages.broadcasts.detail.controls import draw_buttons
from pages.broadcasts.detail.dialogs import draw_dialogs
from pages.broadcasts.detail.facts import draw_facts, draw_plan
from pages.broadcasts.detail.live import draw_live
from pages.broadcasts.detail.notices import draw_notes
from pages.broadcasts.detail.people import draw_people
from pages.broadcasts.detail.results import draw_results
from pages.broadcasts.detail.retry import draw_second_run
from pages.broadcasts.detail.unreachable_customers import draw_marks
from pages.components import page_registry
from pages.components.address import asked_id, draw_not_there
from pages.components.layout import badge_markdown, page_header
from pages.components.markdown import escape_markdown
from pages.components.phone import draw_phone
from pages.components.session import Current, current, see_fanpage
from pages.components.styles import draw_broadcast_styles
from pages.components.test_dialog import draw_test_dialog
from pages.components.texts import _, language

OVER = (BroadcastState.FINISHED, BroadcastState.CANCELLED)


def draw_page() -> None:
    here = current()
    try:
        view = get_broadcast(asked_id() or 0)
    except NotFound:
        draw_not_there(_("This broadcast does not exist (any more)."), "broadcasts", _("All broadcasts"))
        return
    see_fanpage(view.fanpage_id)
    if view.state == BroadcastState.DRAFT and here.actor.may(Permission.EDIT):
        page_registry.go("new_broadcast", id=view.id, step="when" if view.due_at else "what")
    fanpage = get_fanpage(view.fanpage_id)
    draw_broadcast_styles()
    _header(here, view, fanpage)
    draw_notes(here, view, fanpage, utc_now())
    _picture(here, view, fanpage)
    if view.audience:
        draw_people(here, view)


def _header(here: Current, view: BroadcastView, fanpage: FanpageView) -> None:
    page_registry.link("broadcasts", _("All broadcasts"), icon=":material/arrow_back:")
    purpose = f"{badge_markdown('broadcast', view.looks)} {escape_markdown(view.topic)}"
    slot = page_header(escape_markdown(view.name), purpose, key="broadcast")
    draw_buttons(slot, here, view, stopped=bool(fanpage.stopped_code))
    draw_dialogs(here, view)
    draw_test_dialog(About.BROADCAST, view.id, view.fanpage_id)


def _picture(here: Current, view: BroadcastView, fanpage: FanpageView) -> None:
    """What is over takes the whole width; until then the message stands beside it."""
    if view.state in OVER:
        _numbers(here, view, fanpage)
        with st.expander(_("The message"), icon=":material/smartphone:"):
            _phone(view, fanpage)
        return
    left, right = st.columns([2, 1], gap="large")
    with left:
        _numbers(here, view, fanpage)
    with right:
        _phone(view, fanpage)


def _numbers(here: Current, view: BroadcastView, fanpage: FanpageView) -> None:
    if not view.started_at and view.state != BroadcastState.CANCELLED:
        draw_plan(view)
    draw_live(view)
    draw_results(view, fanpage)
    draw_marks(here, view)
    draw_second_run(here, view)
    draw_facts(view)


def _phone(view: BroadcastView, fanpage: FanpageView) -> None:
    with st.container(key="composer_phone"):
        draw_phone(
            bubbles_of(view.content["kind"], view.content),
            language=language(),
            dark=st.context.theme.type == "dark",
            page_name=fanpage.name,
            picture=picture_of(fanpage.id),
        )


draw_page()
