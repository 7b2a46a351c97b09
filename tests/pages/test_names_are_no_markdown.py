"""Names and texts that people wrote are never rendered as Markdown: a name could load a picture
in the browsers of staff, or lead them elsewhere.

Everything that has a name gets one that is a picture in Markdown; then every page is opened, and every text
that Streamlit renders as Markdown is read.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from google.protobuf.message import Message as Proto

from core.clock import utc_now
from core.db import tables
from core.db.engine import transaction
from core.db.tables import (
    Activity,
    Block,
    Broadcast,
    CustomerTag,
    Delivery,
    EntryPoint,
    Message,
    OptInImport,
    Request,
    Tag,
)
from pages.components import page_registry
from tests.arrange import Arrange
from tests.pages.conftest import an_operator, opened

NAME = "![x](https://evil.example/x.png)"
# Streamlit shows these as they are. In a radio button and in pills options are Markdown.
_PLAIN = {
    "value",
    "raw_value",
    "default",
    "placeholder",
    "raw_values",
    "url",
    "url_path",
    "page_script_hash",
    "set_value",
}
_PLAIN_KINDS = {
    "html",
    "text",
    "code",
    "json",
    "iframe",
    "bidi_component",
    "arrow_data_frame",
    "vega_lite_chart",
}
_PLAIN_OPTIONS = {"selectbox", "multiselect"}
STATES = ("draft", "scheduled", "sending", "paused", "finished", "cancelled", "missed")


def rendered(at: Any) -> Iterator[tuple[str, str]]:
    """(where, text) of everything that Streamlit renders as Markdown, or might."""
    waiting = [at.main.root]
    while waiting:
        node = waiting.pop()
        waiting += getattr(node, "children", {}).values()
        proto = getattr(node, "proto", None)
        if proto is not None and node.type not in _PLAIN_KINDS:
            yield from _texts(proto, node.type, node.type)


def _texts(proto: Proto, where: str, kind: str) -> Iterator[tuple[str, str]]:
    for field, value in proto.ListFields():
        if field.name in _PLAIN or field.name in _PLAIN_KINDS:
            continue
        if field.name == "options" and kind in _PLAIN_OPTIONS:
            continue
        place = f"{where}.{field.name}"
        many = value if field.is_repeated else [value]
        for each in many:
            if isinstance(each, str):
                yield place, each
            elif isinstance(each, Proto):
                yield from _texts(each, place, kind)


@pytest.fixture
def shop(arrange: Arrange) -> dict[str, int]:
    """Something of everything, each with the evil name."""
    now = arrange.now = utc_now()
    times = {"created_at": now, "updated_at": now}
    fanpage_id = arrange.fanpage(
        NAME, otn_off_by=NAME, policy_action="warning", policy_reason=NAME, policy_at=now
    )
    topic_id = arrange.topic(fanpage_id, NAME)
    names = {"last_name": NAME, "search_text": NAME, "window_closes_at": now + timedelta(hours=2)}
    customer_id = arrange.customer(fanpage_id, NAME, **names)
    arrange.opt_in(
        topic_id, customer_id, fanpage_id=fanpage_id, promise=NAME, consented_at=now - timedelta(days=362)
    )
    message_id = arrange.save(Message(fanpage_id=fanpage_id, name=NAME, published=1, **times))
    arrange.save(
        Block(message_id=message_id, position=0, kind="text", content={"text": NAME, "fallback": NAME})
    )
    word = {"match": "contains", "value": NAME, "folded": NAME.lower(), "created_at": now}
    arrange.save(EntryPoint(fanpage_id=fanpage_id, message_id=message_id, kind="keyword", **word))
    about = {"fanpage_id": fanpage_id, "customer_id": customer_id, "topic_id": topic_id}
    arrange.save(Request(**about, title=NAME, after_text=NAME, payload="p", created_at=now))
    tag_id = arrange.save(Tag(fanpage_id=fanpage_id, name=NAME, key=NAME.lower(), created_at=now))
    with transaction() as db:
        db.add(CustomerTag(tag_id=tag_id, customer_id=customer_id, created_at=now))
    arrange.save(tables.Tester(fanpage_id=fanpage_id, customer_id=customer_id, name=NAME, created_at=now))
    arrange.save(
        OptInImport(
            fanpage_id=fanpage_id,
            topic_id=topic_id,
            file_name=NAME,
            state="done",
            operator=NAME,
            role="admin",
            created_at=now,
            ended_at=now,
        )
    )
    for verb in ("broadcast.launch", "topic.create", "unheard.of"):
        arrange.save(
            Activity(at=now, actor=NAME, verb=verb, subject=NAME, detail={"text": NAME, "reason": NAME})
        )
    found = {"topic": topic_id, "customer": customer_id, "message": message_id}
    for state in STATES:
        row = Broadcast(
            fanpage_id=fanpage_id,
            topic_id=topic_id,
            name=NAME,
            content={"kind": "text", "text": NAME},
            state=state,
            due_at=now + timedelta(days=1),
            audience=1,
            launched_by=NAME,
            created_by=NAME,
            approved_by=NAME,
            started_at=now if state in ("sending", "paused", "finished") else None,
            finished_at=now if state == "finished" else None,
            pause_code=NAME[:60] if state == "paused" else None,
            changes={"content": {"version": 1, "by": NAME, "at": now.isoformat()}},
            **times,
        )
        found[state] = arrange.save(row)
        values = {"state": "failed", "reason": "unknown_error", "detail": NAME, "settled_at": now}
        arrange.save(Delivery(broadcast_id=found[state], customer_id=customer_id, **values))
    return found


def places(shop: dict[str, int]) -> list[tuple[str, dict[str, int]]]:
    found: list[tuple[str, dict[str, int]]] = [(entry.url_path, {}) for entry in page_registry.ENTRIES]
    found += [("broadcast", {"id": shop[state]}) for state in STATES]
    found += [("new_broadcast", {"id": shop["draft"]}), ("new_broadcast", {"topic": shop["topic"]})]
    found += [(one, {"id": shop[one]}) for one in ("customer", "message")]
    return [*found, ("topics", {"id": shop["topic"]}), ("opt_ins", {"topic": shop["topic"]})]


@pytest.mark.one_database
def test_no_page_renders_a_name_as_markdown(arrange, shop):
    wrong = []
    admin = an_operator(arrange, "admin", name="evil.admin")
    for page, query in places(shop):
        at = opened(admin, page=page, patience=120, **query)
        assert not at.exception, (page, query)
        wrong += [(page, where, text[:120]) for where, text in rendered(at) if NAME in text]

    assert sorted(set(wrong)) == []


def test_what_is_rendered_is_found():
    from streamlit.testing.v1 import AppTest

    def page(name: str) -> None:
        import streamlit as st

        st.warning(name)
        st.button(name)
        st.expander(name).caption(name)
        st.radio(name, [name], help=name)
        st.toast(name)
        st.text(name)
        st.selectbox("a", [name], placeholder=name)

    at = AppTest.from_function(page, args=[NAME]).run()
    found = [where for where, text in rendered(at) if NAME in text]
    assert len(found) >= 7
    assert not any(where.startswith(("text.", "selectbox")) for where in found)
