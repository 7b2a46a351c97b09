"""Customers and opt-ins: found, filtered, imported, exported, stopped."""

from datetime import timedelta

import pytest
from sqlmodel import select

from core.clock import utc_now
from core.conversation.rules import fold
from core.database import reading
from core.tables import OptIn
from tests.pages.test_topics import keys, press, said

CSV = (
    "psid,token,consented_at,promise\n"
    "2501,tok-a,{at},Báo tôi\n2501,tok-a,{at},\n2502,tok-b,{at},\n2503,tok-c,hôm qua,\n"
)


def opt_ins():
    with reading() as db:
        return db.exec(select(OptIn).order_by(OptIn.id)).all()


@pytest.fixture
def fanpage(arrange):
    return arrange.fanpage()


@pytest.fixture
def topic(arrange, fanpage):
    return arrange.topic(fanpage)


@pytest.fixture
def lan(arrange, fanpage):
    return arrange.customer(
        fanpage, "Lan", last_name="Nguyễn", psid="2500123", search_text=f"{fold('Nguyễn Lan')} 2500123"
    )


def test_customers_are_searched_without_marks(panel, arrange, fanpage, lan):
    arrange.customer(fanpage, "Minh", search_text="minh 99")
    words = said(panel("customers", q="NGUYEN"))
    assert "Nguyễn Lan" in words
    assert "Minh" not in words


def test_customers_are_filtered_by_who_can_be_notified(panel, arrange, fanpage, topic, lan):
    arrange.customer(fanpage, "Minh")
    arrange.opt_in(topic, lan, fanpage_id=fanpage, consented_at=utc_now() - timedelta(days=1))
    words = said(panel("customers", only="holding"))
    assert "Nguyễn Lan" in words
    assert "Minh" not in words


def test_a_search_without_a_hit_says_so(panel, lan):
    assert "No customer matches" in said(panel("customers", q="zzz"))


def test_a_customer_shows_the_exact_promise_and_its_topic(panel, arrange, fanpage, topic, lan):
    arrange.opt_in(topic, lan, fanpage_id=fanpage, promise="Báo tôi khi có <b>váy</b>")
    at = panel("customer", id=lan)
    assert at.title[0].value == "Nguyễn Lan"
    assert "Báo tôi khi có &lt;b&gt;váy&lt;/b&gt;" in said(at)
    assert "KH nhận khuyến mãi SP mới" in said(at)


def test_notifications_are_stopped_after_the_number_was_shown(panel, arrange, fanpage, topic, lan):
    for _ in range(2):
        arrange.opt_in(topic, lan, fanpage_id=fanpage, consented_at=utc_now() - timedelta(days=1))
    at = press(panel("customer", role="editor", id=lan), "customer_stop")
    assert "2 opt-ins will never be used" in said(at)
    assert {row.state for row in opt_ins()} == {"available"}
    press(at, "customer_withdraw_confirm")
    assert {row.state for row in opt_ins()} == {"withdrawn"}
    assert "Staff, in the panel" in said(at)


def test_staff_pass_on_a_no_to_one_topic_and_see_it(panel, arrange, fanpage, topic, lan):
    other = arrange.topic(fanpage, "Hoa tulip")
    for each in (topic, other):
        arrange.opt_in(each, lan, fanpage_id=fanpage, consented_at=utc_now() - timedelta(days=1))
    at = press(panel("customer", role="editor", id=lan), "customer_stop")
    at.selectbox(key="customer_withdraw_topic").select(other).run()
    assert "1 opt-in will never be used" in said(at)
    assert "staff cannot undo it" in said(at)
    press(at, "customer_withdraw_confirm")
    assert [row.state for row in opt_ins()] == ["available", "withdrawn"]
    assert "customer_stop" not in keys(panel("customer", role="viewer", id=lan).button)


def test_a_refused_opt_in_is_made_available_by_who_may_send(panel, arrange, fanpage, topic, lan):
    opt_in = arrange.opt_in(
        topic, lan, fanpage_id=fanpage, state="refused", consented_at=utc_now() - timedelta(days=1)
    )
    key = f"opt_in_{opt_in}_make_available"
    assert panel("customer", role="editor", id=lan).button(key=key).disabled
    press(panel("customer", role="sender", id=lan), key)
    assert opt_ins()[0].state == "available"


def test_an_unreachable_customer_is_explained(panel, arrange, fanpage):
    gone = arrange.customer(fanpage, unreachable_at=utc_now(), unreachable_code="blocked")
    assert "until they write again" in said(panel("customer", id=gone))


@pytest.mark.parametrize("query", [{}, {"id": "999"}, {"id": "x"}])
def test_an_unknown_customer_is_answered_calmly(panel, fanpage, query):
    at = panel("customer", **query)
    assert not at.exception
    assert "does not exist" in said(at)


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ({}, {"Một", "Hai", "Ba", "Bốn"}),
        ({"topic": "2"}, {"Hai", "Ba"}),
        ({"topic": "2", "state": "spent"}, {"Ba"}),
        ({"topic": "none"}, {"Bốn"}),
        ({"state": "soon"}, set()),
        ({"topic": "junk", "state": "junk"}, {"Một", "Hai", "Ba", "Bốn"}),
    ],
)
def test_opt_ins_are_filtered_by_topic_and_state(panel, arrange, fanpage, topic, lan, query, shown):
    assert arrange.topic(fanpage, "Tết") == 2
    for topic_id, promise, state in [
        (topic, "Một", "available"),
        (2, "Hai", "available"),
        (2, "Ba", "spent"),
        (None, "Bốn", "available"),
    ]:
        at = utc_now() - timedelta(days=1)
        row = {"promise": promise, "state": state, "consented_at": at}
        arrange.opt_in(topic_id, lan, fanpage_id=fanpage, **row)
    words = said(panel("opt_ins", **query))
    assert {promise for promise in ("Một", "Hai", "Ba", "Bốn") if f">{promise}<" in words} == shown


def test_a_file_is_checked_then_imported_and_its_outcome_told(panel, topic):
    at = press(panel("opt_ins", role="editor"), "opt_ins_start")
    data = CSV.format(at=(utc_now() - timedelta(days=1)).isoformat()).encode()
    at.file_uploader(key="opt_in_import_file").upload("optins.csv", data, "text/csv").run()
    assert [metric.value for metric in at.metric] == ["2", "1", "1"]
    assert "is not a time" in said(at)
    assert opt_ins() == []
    press(at, "opt_in_import_save")
    assert [(row.topic_id, row.promise) for row in opt_ins()] == [(topic, "Báo tôi"), (topic, "")]
    assert [metric.value for metric in at.metric] == ["2", "1", "1"]
    press(at, "opt_in_import_close")
    assert "opt_in_import_close" not in keys(at.button)


def test_a_file_without_the_columns_is_refused_with_what_is_missing(panel, topic):
    at = press(panel("opt_ins", role="editor"), "opt_ins_start")
    at.file_uploader(key="opt_in_import_file").upload("x.csv", b"psid,token\n1,t\n", "text/csv").run()
    assert "Missing: consented_at" in at.error[0].value
    assert "opt_in_import_save" not in keys(at.button)


def test_an_import_needs_a_topic_first(panel, fanpage):
    at = press(panel("opt_ins"), "opt_ins_start")
    assert "Create a topic first" in said(at)


def test_a_viewer_gets_no_import(panel, arrange, fanpage, topic, lan):
    arrange.opt_in(topic, lan, fanpage_id=fanpage)
    at = panel("opt_ins", role="viewer")
    assert "opt_ins_import" not in keys(at.button)
    assert at.download_button(key="opt_ins_export").label == "Export"


def test_opt_ins_without_a_topic_get_one(panel, arrange, fanpage, topic, lan):
    for _ in range(2):
        arrange.opt_in(None, lan, fanpage_id=fanpage)
    at = panel("opt_ins", role="editor")
    assert "2 opt-ins came without a topic" in said(at)
    press(at, "opt_in_assign_open")
    press(at, "opt_in_assign_save")
    assert {row.topic_id for row in opt_ins()} == {topic}
    assert "without a topic" not in said(at)
