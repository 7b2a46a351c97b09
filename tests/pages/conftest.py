"""Fixtures for pages: `panel` opens a page as somebody who is signed in."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from core.accounts import sessions
from core.accounts.passwords import hash_password
from core.clock import utc_now
from core.db.tables import Operator
from pages.components import page_registry, session
from tests.arrange import Arrange
from tests.signing_in import session_of

APP = Path(__file__).resolve().parents[2] / "app.py"
PASSWORD = "correct-horse-battery"
_HASH = hash_password(PASSWORD)


@pytest.fixture(autouse=True)
def fresh_panel(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is remembered from another test, and pages speak English. AppTest has no connection, so the
    session says itself whose cookie it brings. By the setting, not by the session:
    AppTest also formats options outside of a run, where there is no session."""
    monkeypatch.setenv("OTN_LANGUAGE", "en")
    monkeypatch.setattr(session, "presented", lambda: st.session_state.get("presented", ""))
    session.last_fanpages.clear()


def an_operator(arrange: Arrange, role: str = "admin", name: str | None = None, **more: object) -> int:
    """An operator who may sign in with PASSWORD; the row's id."""
    since = utc_now() - timedelta(days=1)
    values = {"password_hash": _HASH, "sessions_valid_after": since, "created_at": arrange.now}
    row = Operator(name=name or f"{role}.one", role=role, **{**values, **more})
    return arrange.save(row)


def loaded_anew(at: AppTest) -> AppTest:
    """What the browser does after a sign-in: it trades its ticket, and loads the page with the cookie."""
    if "ticket" in at.session_state:
        key = sessions.trade_ticket(at.session_state["ticket"], now=utc_now())
        del at.session_state["ticket"]
        at.session_state["presented"] = sessions.hash_of(key)
        at.run()
    return at


def opened(
    operator_id: int | None,
    *,
    page: str = "overview",
    fanpage_id: int | None = None,
    patience: int = 30,
    **query: object,
) -> AppTest:
    """The panel opened at a page, signed in as that operator (None: not signed in)."""
    at = AppTest.from_file(str(APP), default_timeout=patience)
    if operator_id is not None:
        at.session_state["presented"] = session_of(operator_id)
    if fanpage_id is not None:
        at.session_state["fanpage_id"] = fanpage_id
    for name, value in query.items():
        at.query_params[name] = str(value)
    at.switch_page(f"pages/{page_registry.BY_PATH[page].file}")
    return at.run()


Panel = Callable[..., AppTest]


@pytest.fixture
def panel(arrange: Arrange, now: datetime) -> Panel:
    """Opens a page as a signed-in operator and returns its AppTest, already run, in English.

    `page` is the page's url_path in page_registry.py; further keywords become query parameters:

        def test_a_topic_is_created(panel, arrange):
            arrange.fanpage()
            at = panel("topics", role="editor")
            at.button(key="topic_add").click().run()
            at.text_input(key="topic_name").input("Flash sale").run()
            assert not at.exception

        at = panel("broadcast", role="sender", id=3)     # as if /broadcast?id=3 had been opened
        at = panel("topics", fanpage_id=2)               # with that fanpage chosen in the switcher

    Address widgets by key. A button inside a dialog works when it has an `on_click` callback.
    """

    def open_page(
        page: str = "overview", role: str = "admin", *, fanpage_id: int | None = None, **query
    ) -> AppTest:
        operator_id = an_operator(arrange, role, name=f"{role}.{page.replace('_', '.')}")
        return opened(operator_id, page=page, fanpage_id=fanpage_id, **query)

    return open_page


@pytest.fixture
def fanpage(arrange: Arrange) -> int:
    return arrange.fanpage()


@pytest.fixture
def topic_id(arrange: Arrange) -> int:
    """A topic with three people who agreed, as of now: pages ask the real clock."""
    arrange.now = utc_now()
    fanpage_id = arrange.fanpage()
    topic_id = arrange.topic(fanpage_id)
    for name in ("Lan", "Mai", "Hùng"):
        customer_id = arrange.customer(fanpage_id, name, search_text=name.lower())
        arrange.opt_in(topic_id, customer_id, fanpage_id=fanpage_id)
    return topic_id
