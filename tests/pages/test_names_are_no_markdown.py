"""Names and texts that people wrote are never rendered as Markdown: a name could load a picture
in the browsers of staff, or lead them elsewhere.

Everything that has a name gets one that is a picture in Markdown (evil_shop.py); then every page is opened,
and every dialog on it, and every text that Streamlit renders as Markdown is read (rendered.py).
"""

from __future__ import annotations

import re
from typing import Any

import pytest
from sqlalchemy import update
from streamlit.testing.v1 import AppTest

from core.clock import utc_now
from core.db.engine import transaction
from core.db.tables import Fanpage
from core.errors import Change, Changed, Invalid, WrongState, problem
from pages.broadcasts.calendar import moving
from pages.components import dialogs, page_registry, texts
from pages.components.markdown import escape_markdown
from pages.system import replay_dialog
from pages.topics import dialogs as topic_dialogs
from tests.pages.conftest import an_operator, opened
from tests.pages.evil_shop import NAME, STATES, evil_shop
from tests.pages.rendered import rendered
from tests.pages.shown import press

Place = tuple[str, dict[str, int]]


@pytest.fixture
def shop(arrange) -> dict[str, int]:
    return evil_shop(arrange)


@pytest.fixture
def asked_for(monkeypatch) -> set[str]:
    """The keys of all dialogs that a page has, open or not."""
    keys: set[str] = set()
    is_open = dialogs.is_open

    def noted(key: str) -> bool:
        keys.add(key)
        return is_open(key)

    for module in (dialogs, topic_dialogs, replay_dialog, moving):
        monkeypatch.setattr(module, "is_open", noted)
    return keys


def places(shop: dict[str, int]) -> list[Place]:
    found: list[Place] = [(entry.url_path, {}) for entry in page_registry.ENTRIES]
    found += [("broadcast", {"id": shop[state]}) for state in STATES]
    found += [("new_broadcast", {"id": shop["draft"]}), ("new_broadcast", {"topic": shop["topic"]})]
    found += [(one, {"id": shop[one]}) for one in ("customer", "message", "event")]
    found += [(one, {"topic": shop["topic"]}) for one in ("opt_ins", "planner")]
    return [*found, ("topics", {"id": shop["topic"]})]


def wrongly_rendered(at: Any, where: object) -> list[tuple[object, str, str]]:
    assert not at.exception, where
    return [(where, place, text[:120]) for place, text in rendered(at) if NAME in text]


@pytest.mark.one_database
def test_no_page_renders_a_name_as_markdown(arrange, shop):
    wrong = []
    admin = an_operator(arrange, "admin", name="evil.admin")
    for page, query in places(shop):
        wrong += wrongly_rendered(opened(admin, page=page, patience=120, **query), page)

    assert sorted(set(wrong)) == []


@pytest.mark.one_database
def test_no_page_renders_who_turned_notifications_off_as_markdown(arrange, shop):
    with transaction() as db:
        db.execute(update(Fanpage).values(otn_off_at=utc_now()))
    admin = an_operator(arrange, "admin")
    for page in ("overview", "setup", "topics", "broadcasts"):
        assert wrongly_rendered(opened(admin, page=page, patience=120), page) == []


@pytest.mark.one_database
def test_no_dialog_renders_a_name_as_markdown(arrange, shop, asked_for):
    wrong: list[tuple[object, str, str]] = []
    tried: set[str] = set()
    admin, chosen = (
        an_operator(arrange, "admin", name="evil.admin"),
        an_operator(arrange, "editor", name=NAME),
    )
    for page, query in places(shop):
        asked_for.clear()
        at = opened(admin, page=page, patience=120, **query)
        at.session_state["operator_chosen"] = chosen
        at.run()
        for key in sorted(asked_for - tried):
            at.session_state["dialog"] = key
            wrong += wrongly_rendered(at.run(), (page, key))
        tried |= asked_for

    assert {
        "customer_forget",
        "fanpage_again",
        "otn_off",
        "operator_reset",
        "topic_archive",
        "broadcast_cancel",
    } <= tried
    assert sorted(set(wrong), key=str) == []


def test_no_refusal_renders_what_was_typed_as_markdown():
    change = Change("name", 1, NAME, utc_now())
    refusals = [
        Invalid([problem("name", "{name} is taken.", name=NAME)]),
        WrongState("{name} is {state}.", name=NAME, state="sending"),
        Changed([change]),
    ]
    for refused in refusals:
        assert NAME not in texts.error_text(refused)
        assert escape_markdown(NAME) in texts.error_text(refused)


@pytest.mark.one_database
def test_no_note_of_what_was_done_renders_a_name_as_markdown(arrange, shop):
    admin = an_operator(arrange, "admin")
    for key in ("fanpage_stop_words", "fanpage_limits", "fanpage_launch_rules"):
        at = opened(admin, page="setup", patience=120)
        at.session_state["dialog"] = key
        at = at.run()
        submit = next(each.key for each in at.button if each.key in (f"{key}_submit", f"{key}_confirm"))
        at = press(at, submit)
        assert escape_markdown(NAME) in at.toast[0].value
        assert wrongly_rendered(at, key) == []


@pytest.mark.parametrize("address", ["https://evil.example/x", "HTTP://evil.example", "www.evil.example"])
def test_an_address_in_a_name_is_no_link(address):
    """Browsers were seen to show these as links although each of their signs was escaped."""
    told = escape_markdown(address).replace("\\", "")
    assert not re.search(r"https?://|www(?=\.)", told, re.IGNORECASE)
    assert told.replace("\N{WORD JOINER}", "") == address


def test_what_is_rendered_is_found():
    def page(name: str) -> None:
        import streamlit as st

        st.warning(name)
        st.button(name)
        st.expander(name).caption(name)
        st.radio(name, [name], help=name)
        st.toast(name)
        st.text(name)
        st.selectbox("a", [name], placeholder=name)
        st.dialog(name)(lambda: None)()

    at = AppTest.from_function(page, args=[NAME]).run()
    found = [where for where, text in rendered(at) if NAME in text]
    assert len(found) >= 8
    assert any("dialog" in where for where in found)
    assert not any(where.startswith(("text.", "selectbox")) for where in found)
