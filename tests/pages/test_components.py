"""Texts, states and tables, without a page around them."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from streamlit.testing.v1 import AppTest

from core.accounts.rules import Actor, Permission, Role
from core.broadcasts.rules import BroadcastState
from core.consent.imports import ImportOutcome
from core.consent.rules import OptInState
from core.conversation.rules import ReplyState
from core.deliveries.rules import DeliveryState
from core.errors import Invalid, NotAllowed, NotFound, problem
from pages.components import tables, texts
from pages.components.states import STATES
from pages.components.table_order import Order
from pages.components.tables import Badge, Column, Link, Two
from pages.opt_ins.import_result import plain

AT = datetime(2026, 11, 22, 9, 5, tzinfo=UTC)


@pytest.fixture(params=["vi", "en"])
def language(request, monkeypatch, fresh_database):
    monkeypatch.setattr(texts, "language", lambda: request.param)
    return request.param


@pytest.fixture
def vietnamese(monkeypatch, fresh_database):
    monkeypatch.setattr(texts, "language", lambda: "vi")


@pytest.mark.parametrize(
    ("kind", "states"),
    [
        ("broadcast", BroadcastState),
        ("delivery", DeliveryState),
        ("opt_in", OptInState),
        ("reply", ReplyState),
    ],
)
def test_every_state_has_a_word_an_icon_and_a_colour(kind, states):
    assert set(STATES[kind]) >= {state.value for state in states}


def test_numbers_and_times_are_written_the_vietnamese_way(vietnamese):
    assert texts.number(4210) == "4.210"
    assert texts.percent(0.5) == "50%"
    assert texts.percent(0.0123) == "1,2%"
    assert texts.when(AT, "Asia/Ho_Chi_Minh") == "22/11/2026 16:05"
    assert texts.when(None) == "–"


def test_a_recent_time_is_told_by_its_distance_and_an_old_one_by_itself(vietnamese, monkeypatch):
    monkeypatch.setattr(texts, "utc_now", lambda: AT)
    assert texts.ago(AT - timedelta(minutes=5)) == "5 phút trước"
    assert texts.ago(AT - timedelta(days=300)) == texts.when(AT - timedelta(days=300))


def test_a_sentence_without_translation_stays_english(language):
    assert texts._("No such {thing}", thing="entry") == "No such entry"


def test_values_with_braces_are_not_filled_in_again(language):
    assert texts._("Hello {name}", name="{secret}") == "Hello {secret}"


def test_a_plural_goes_by_its_number(monkeypatch, fresh_database):
    monkeypatch.setattr(texts, "language", lambda: "en")
    assert [texts.n_("{n} row", "{n} rows", n) for n in (0, 1, 1200)] == ["0 rows", "1 row", "1,200 rows"]


def test_refusals_are_translated_with_their_values(vietnamese):
    several = Invalid(
        [
            problem("name", "Give the topic a name."),
            problem("x", "The name of a topic can have at most {limit} characters.", limit=80),
        ]
    )
    assert texts.error_text(several) == "Hãy đặt tên cho chủ đề.  \nTên chủ đề dài tối đa 80 ký tự."
    assert texts.error_text(NotFound("This user no longer exists.")) == "Người dùng này không còn tồn tại."
    with pytest.raises(NotAllowed) as refused:
        Actor(1, "mai", Role.VIEWER).require(Permission.SEND)
    assert texts.error_text(refused.value).startswith("Vai trò của bạn (người xem) không có quyền này")
    assert "(viewer)" in refused.value.message  # as the command line says it


def test_the_figures_of_an_imports_notes_are_written_the_readers_way(vietnamese):
    note = problem("file", "{by_chance} / {count}", by_chance=0.3, count=2)
    assert plain(ImportOutcome(0, 0, (), notes=(note,)))["notes"] == ["0,3 / 2"]


def cells(values: list[object]) -> list[str]:
    """What a table of one column holds between <td> and </td>."""
    written = tables.table_html([Column("", lambda row: row)], values)
    return re.findall("<td[^>]*>(.*?)</td>", written.split("<tbody>")[1])


@pytest.mark.parametrize(
    ("value", "html"),
    [
        ("<b>", "&lt;b&gt;"),
        (4210, "4.210"),
        (Link('"x"', 'a?id=1&b="'), '<a href="a?id=1&amp;b=&quot;" target="_self">&quot;x&quot;</a>'),
        (Two("<i>", "<u>"), '&lt;i&gt; <span class="otn-quiet">&lt;u&gt;</span>'),
        (
            datetime(2025, 11, 22, 9, 5, tzinfo=UTC),
            '<time datetime="2025-11-22T09:05:00+00:00" title="22/11/2025 16:05">22/11/2025</time>',
        ),
        (None, '<span class="otn-quiet">–</span>'),
        (True, "có"),
    ],
)
def test_a_cell_is_escaped_and_written_the_readers_way(vietnamese, value, html):
    assert cells([value]) == [html]


def test_a_badge_says_its_state_in_words(vietnamese):
    known, unknown = cells([Badge("broadcast", "sending"), Badge("broadcast", "nonsense")])
    assert "Đang gửi</span>" in known
    assert "nonsense" in unknown


def test_a_row_that_leads_somewhere_is_a_link(vietnamese):
    columns = [Column("Tên", lambda row: row[0]), Column("Số", lambda row: row[1])]
    assert (
        '<tr class="otn-row-link"><td class="otn-text" data-label="Tên" title="a&lt;b">'
        '<a href="x?id=3" target="_self">a&lt;b</a></td><td class="otn-number" data-label="Số">3</td></tr>'
    ) in tables.table_html(columns, [("a<b", 3)], on_click=lambda row: f"x?id={row[1]}")


def test_a_column_of_numbers_has_its_heading_at_the_right(vietnamese):
    column = Column("Số", lambda row: row)
    at_the_right = '<th scope="col" class="otn-number">Số</th>'
    assert at_the_right in tables.table_html([column], [None, 3])
    assert at_the_right not in tables.table_html([column], ["3", None])
    for share in ("59%", "0,3%", "1.204 · 70%"):
        assert at_the_right in tables.table_html([column], [share, "–"])
    assert at_the_right not in tables.table_html([column], ["Giảm 50%"])


def test_a_column_without_anything_to_say_is_left_out(vietnamese):
    columns = [Column("Tên", lambda row: row[0]), Column("Lý do", lambda row: row[1])]
    assert "Lý do" not in tables.table_html(columns, [("Lan", None), ("Minh", "")])
    assert "Lý do" in tables.table_html(columns, [("Lan", None), ("Minh", "Đã chặn")])


def test_sentences_stand_whole_beneath_what_they_explain(vietnamese):
    column = Column("Lý do", lambda row: row, wraps=True)
    assert 'Đã chặn<br><span class="otn-quiet">Vì sao</span>' in tables.table_html(
        [column], [Two("Đã chặn", "Vì sao")]
    )


def test_a_time_of_this_year_is_short_and_whole_on_hover(vietnamese, monkeypatch):
    monkeypatch.setattr(texts, "utc_now", lambda: AT)
    (cell,) = cells([AT])
    assert cell.endswith('title="22/11/2026 16:05">22/11 16:05</time>')


def test_a_heading_leads_to_its_order_and_back_and_keeps_the_filters(vietnamese):
    columns = [Column("Tên", lambda row: row, key="name", sorts=True), Column("Số", len, key="n", sorts=True)]
    order = Order("name", falling=False, others=(("q", "Lan & Co"),))
    html = tables.table_html(columns, ["Lan"], order=order)
    assert 'aria-sort="ascending"><a href="?q=Lan+%26+Co&amp;sort=-name"' in html
    assert 'aria-sort="none"><a href="?q=Lan+%26+Co&amp;sort=-n"' in html


def asked_order() -> None:
    import streamlit as st

    from pages.components.table_order import order_asked

    order = order_asked(("name", "at"), "-at", pager_key="list")
    st.text(f"{order.word} {order.others}")


@pytest.mark.parametrize(
    ("sort", "word"), [("", "-at"), ("name", "name"), ("-name", "-name"), ("1; DROP", "-at")]
)
def test_an_order_that_the_list_does_not_know_is_the_usual_one(fresh_database, sort, word):
    at = AppTest.from_function(asked_order)
    at.query_params.update({"sort": sort, "q": "lan", "list_page": "3"})
    at.run()
    assert at.text[0].value == f"{word} (('q', 'lan'),)"


def offsets() -> None:
    import streamlit as st

    from pages.components.filters import pager

    st.text(pager(st.session_state["total"], key="list", size=50))


@pytest.mark.parametrize(
    ("page", "total", "offset"), [(1, 0, 0), (1, 50, 0), (3, 120, 100), (9, 120, 100), (3, 20, 0)]
)
def test_the_pager_never_points_past_the_end(fresh_database, page, total, offset):
    at = AppTest.from_function(offsets)
    at.session_state["total"] = total
    at.session_state["list_page"] = page
    at.run()
    assert not at.exception
    assert at.text[0].value == f"{offset}"


def _narrowed() -> None:
    import streamlit as st

    from pages.components.filters import filter_choice, filter_pills

    words = st.session_state.get("words", {"1": "One", "2": "Two"})
    st.session_state["found"] = (filter_pills("size", words), filter_choice("topic", words, "All"))


def test_a_filter_stays_when_its_word_changes_and_ends_when_it_is_gone():
    at = AppTest.from_function(_narrowed)
    at.query_params["size"] = at.query_params["topic"] = "2"
    at.run()
    at.session_state["words"] = {"1": "One", "2": "Second"}
    at.run()
    assert at.session_state["found"] == ("2", "2")
    assert at.pills[0].proto.set_value
    assert at.selectbox[0].proto.set_value
    at.session_state["words"] = {"1": "One"}
    at.run()
    assert at.session_state["found"] == (None, "")
    assert not at.query_params


@pytest.mark.parametrize("asked", ["1", "2", ""])
def test_a_filter_that_is_switched_off_stays_off(asked):
    at = AppTest.from_function(_narrowed)
    if asked:
        at.query_params["size"] = at.query_params["topic"] = asked
    at.run()
    at.pills[0].set_value("2").run()
    at.selectbox[0].set_value("2").run()
    at.pills[0].set_value(None).run()
    at.selectbox[0].set_value("").run()
    assert at.session_state["found"] == (None, "")
    assert not at.query_params
    at.run()
    assert (at.session_state["found"], at.pills[0].value, at.selectbox[0].value) == ((None, ""), None, "")
