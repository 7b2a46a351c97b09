"""Customers and opt-ins: found, filtered, imported, exported, stopped."""

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
import streamlit as st
from sqlmodel import col, select, update

from core.accounts.rules import COMMAND_LINE
from core.broadcasts.topic_archiving import archive_topic
from core.clock import utc_now
from core.consent.import_columns import find_columns
from core.consent.import_runs import run_imports
from core.consent.opt_in_export import COLUMNS
from core.customers.tag_actions import add_tag
from core.customers.tags import list_tags
from core.db.engine import reading, transaction
from core.db.tables import Activity, OptIn, Topic
from core.text.catalogues import languages, say_in
from core.text.matching import search_key
from pages.components.export import XLSX_TYPE
from tests.pages.conftest import opened
from tests.pages.shown import all_words, html, keys, press
from tests.spreadsheets.made import workbook

CSV = (
    "psid,token,consented_at,promise\n"
    "2501,tok-a,{at},Báo tôi\n2501,tok-a,{at},\n2502,tok-b,{at},\n2503,tok-c,hôm qua,\n"
)


def opt_ins():
    with reading() as db:
        return db.exec(select(OptIn).order_by(OptIn.id)).all()


@pytest.fixture
def topic(arrange, fanpage):
    return arrange.topic(fanpage)


@pytest.fixture
def lan(arrange, fanpage):
    return arrange.customer(
        fanpage, "Lan", last_name="Nguyễn", psid="2500123", search_text=f"{search_key('Nguyễn Lan')} 2500123"
    )


def test_customers_are_searched_without_marks(panel, arrange, fanpage, lan):
    arrange.customer(fanpage, "Minh", search_text="minh 99")
    words = all_words(panel("customers", q="NGUYEN"))
    assert "Nguyễn Lan" in words
    assert "Minh" not in words


def test_customers_are_filtered_by_who_can_be_notified(panel, arrange, fanpage, topic, lan):
    arrange.customer(fanpage, "Minh")
    arrange.opt_in(topic, lan, fanpage_id=fanpage, consented_at=utc_now() - timedelta(days=1))
    words = all_words(panel("customers", only="holding"))
    assert "Nguyễn Lan" in words
    assert "Minh" not in words


def test_a_search_without_a_hit_says_so(panel, lan):
    assert "No customers match" in all_words(panel("customers", q="zzz"))


def test_a_customer_shows_the_exact_promise_and_its_topic(panel, arrange, fanpage, topic, lan):
    arrange.opt_in(topic, lan, fanpage_id=fanpage, promise="Báo tôi khi có <b>váy</b>")
    at = panel("customer", id=lan)
    assert at.title[0].value == "Nguyễn Lan"
    assert "Báo tôi khi có &lt;b&gt;váy&lt;/b&gt;" in all_words(at)
    assert "KH nhận khuyến mãi SP mới" in all_words(at)


def test_notifications_are_stopped_after_the_number_was_shown(panel, arrange, fanpage, topic, lan):
    for _ in range(2):
        arrange.opt_in(topic, lan, fanpage_id=fanpage, consented_at=utc_now() - timedelta(days=1))
    at = press(panel("customer", role="editor", id=lan), "customer_stop")
    assert "2 opt-ins will never be used" in all_words(at)
    assert {row.state for row in opt_ins()} == {"available"}
    press(at, "customer_withdraw_confirm")
    assert {row.state for row in opt_ins()} == {"withdrawn"}
    assert "Your team, in the panel" in all_words(at)


def test_staff_pass_on_a_no_to_one_topic_and_see_it(panel, arrange, fanpage, topic, lan):
    other = arrange.topic(fanpage, "Hoa tulip")
    for each in (topic, other):
        arrange.opt_in(each, lan, fanpage_id=fanpage, consented_at=utc_now() - timedelta(days=1))
    at = press(panel("customer", role="editor", id=lan), "customer_stop")
    at.selectbox(key="customer_withdraw_topic").select(other).run()
    assert "1 opt-in will never be used" in all_words(at)
    assert "your team can't undo it" in all_words(at)
    press(at, "customer_withdraw_confirm")
    assert [row.state for row in opt_ins()] == ["available", "withdrawn"]
    assert "customer_stop" not in keys(panel("customer", role="viewer", id=lan).button)


def test_a_topic_that_is_renamed_or_archived_meanwhile_never_becomes_all_topics(
    panel, arrange, fanpage, topic, lan
):
    other = arrange.topic(fanpage, "Hoa tulip")
    at = press(panel("customer", role="editor", id=lan), "customer_stop")
    at.selectbox(key="customer_withdraw_topic").select(other).run()
    with transaction() as db:
        db.execute(update(Topic).where(col(Topic.id) == other).values(name="Tulip"))
    at.run()
    shown = at.selectbox(key="customer_withdraw_topic")
    assert (shown.proto.set_value, shown.value) == (True, other)
    archive_topic(COMMAND_LINE, other, now=utc_now())
    at.run()
    assert at.selectbox(key="customer_withdraw_topic").value is None
    assert "customer_withdraw_confirm" not in keys(at.button)


def test_a_refused_opt_in_is_made_available_by_who_may_send(panel, arrange, fanpage, topic, lan):
    opt_in = arrange.opt_in(
        topic, lan, fanpage_id=fanpage, state="refused", consented_at=utc_now() - timedelta(days=1)
    )
    key = f"opt_in_{opt_in}_make_available"
    assert panel("customer", role="editor", id=lan).button(key=key).disabled
    press(panel("customer", role="sender", id=lan), key)
    assert opt_ins()[0].state == "available"


@pytest.fixture
def gone(arrange, fanpage):
    """Blocked the fanpage at a broadcast; a later message to somebody else was taken."""
    mark = {"unreachable_at": utc_now(), "unreachable_firm_at": utc_now(), "unreachable_code": "blocked"}
    return arrange.customer(fanpage, "Gone", **mark, unreachable_detail='{"code": 551}')


def test_an_unreachable_customer_is_explained_with_what_messenger_said(panel, gone):
    at = panel("customer", role="editor", id=gone)
    assert "Broadcasts leave them out until they write, tap or read" in all_words(at)
    assert "Messenger answered: Blocked" in all_words(at)
    assert [code.value for code in at.code] == ['{"code": 551}']
    assert "customer_lift" not in keys(at.button)


def test_a_mark_that_is_not_certain_says_so(panel, arrange, fanpage):
    perhaps = arrange.customer(fanpage, "Perhaps", unreachable_at=utc_now(), unreachable_code="blocked")
    assert "broadcasts still include them" in all_words(panel("customer", id=perhaps))
    assert "Might be unreachable" in all_words(panel("customers", only="unreachable"))


def test_a_mark_is_lifted_after_its_consequence_was_shown(panel, arrange, fanpage, topic, gone):
    arrange.opt_in(topic, gone, fanpage_id=fanpage, consented_at=utc_now() - timedelta(days=1))
    assert "Gone" not in all_words(panel("customers", role="editor", only="holding"))
    at = press(panel("customer", role="sender", id=gone), "customer_lift")
    assert "Broadcasts can use 1 opt-in of Gone again" in all_words(at)
    assert "could not reach" not in all_words(press(at, "customer_lift_dialog_confirm"))
    assert "Gone" in all_words(panel("customers", only="holding"))


@pytest.mark.parametrize("query", [{}, {"id": "999"}, {"id": "x"}])
def test_an_unknown_customer_is_answered_calmly(panel, fanpage, query):
    at = panel("customer", **query)
    assert not at.exception
    assert "does not exist" in all_words(at)


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
    words = all_words(panel("opt_ins", **query))
    assert {promise for promise in ("Một", "Hai", "Ba", "Bốn") if f">{promise}<" in words} == shown


def test_a_file_is_checked_then_imported_and_its_outcome_told(panel, topic):
    at = press(panel("opt_ins", role="editor"), "opt_ins_start")
    data = CSV.format(at=(utc_now() - timedelta(days=1)).isoformat()).encode()
    at.selectbox(key="opt_in_import_topic").select(topic).run()
    at.file_uploader(key="opt_in_import_file").upload("optins.csv", data, "text/csv").run()
    assert [metric.value for metric in at.metric] == ["2", "1", "1"]
    assert "is not a time" in all_words(at)
    assert opt_ins() == []
    press(at, "opt_in_import_save")
    assert "the import continues" in all_words(at)
    assert opt_ins() == []
    run_imports(now=utc_now())
    assert [(row.topic_id, row.promise) for row in opt_ins()] == [(topic, "Báo tôi"), (topic, "")]
    assert "2 opt-ins imported · 1 already there · 1 can't be read" in all_words(at.run())
    undo = next(key for key in keys(at.button) if key.endswith("_undo"))
    press(press(at, undo), f"{undo}_confirm")
    assert opt_ins() == []


def test_no_topic_is_chosen_for_an_import_before_somebody_does(panel, topic):
    at = press(panel("opt_ins", role="editor"), "opt_ins_start")
    assert at.selectbox(key="opt_in_import_topic").value is None
    data = CSV.format(at=utc_now().isoformat()).encode()
    at.file_uploader(key="opt_in_import_file").upload("optins.csv", data, "text/csv").run()
    assert "Choose the topic" in all_words(at)
    assert "opt_in_import_save" not in keys(at.button)
    assert "python -m core optin import" in all_words(at)


def test_a_workbook_is_imported_and_what_was_chosen_in_reading_it_is_told(panel, topic):
    at = press(panel("opt_ins", role="editor"), "opt_ins_start")
    moment = (utc_now() - timedelta(days=1)).replace(tzinfo=None, microsecond=0)
    data = workbook(
        [["psid", "token", "consented_at", "<b>x</b>"], ["'2501", "tok-a", moment, ""]], [["more"]]
    )
    at.selectbox(key="opt_in_import_topic").select(topic).run()
    at.file_uploader(key="opt_in_import_file").upload("optins.xlsx", data, XLSX_TYPE).run()
    told = " ".join(html.value for html in at.get("html"))
    for words in (
        "“Sheet1”",
        "&lt;b&gt;x&lt;/b&gt;",
        "time zone Asia/Ho_Chi_Minh: 1",
        "invisible characters: 1",
    ):
        assert words in told
    press(at, "opt_in_import_save")
    run_imports(now=utc_now())
    assert [row.topic_id for row in opt_ins()] == [topic]


@pytest.mark.parametrize("name", ["optins.csv", "optins.xls", "optins.ods"])
def test_a_file_is_known_by_its_content_and_not_by_its_name(panel, topic, name):
    at = press(panel("opt_ins", role="editor"), "opt_ins_start")
    data = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600)
    at.selectbox(key="opt_in_import_topic").select(topic).run()
    at.file_uploader(key="opt_in_import_file").upload(name, data, "text/csv").run()
    assert "old Excel file" in at.error[0].value


def test_a_workbook_of_our_own_is_known_by_its_columns_in_every_language():
    for code in languages():
        say = say_in(code)
        titles = [say(title) for title in (*(column.title for column in COLUMNS), "Token")]
        places = find_columns(titles)
        assert [titles[places[name]] for name in ("psid", "consented_at", "promise")] == [
            say(title) for title in ("PSID", "Agreed at", "Promise")
        ]


def test_a_file_without_the_columns_is_refused_with_what_is_missing(panel, topic):
    at = press(panel("opt_ins", role="editor"), "opt_ins_start")
    at.selectbox(key="opt_in_import_topic").select(topic).run()
    at.file_uploader(key="opt_in_import_file").upload("x.csv", b"psid,token\n1,t\n", "text/csv").run()
    assert r"Missing: consented\_at" in at.error[0].value
    assert "opt_in_import_save" not in keys(at.button)


def test_rows_that_cannot_be_read_are_an_export_that_is_written_down(panel, topic, monkeypatch):
    files = {}
    monkeypatch.setattr(st, "download_button", lambda _label, make, key, **_more: files.update({key: make}))
    at = press(panel("opt_ins", role="editor"), "opt_ins_start")
    at.selectbox(key="opt_in_import_topic").select(topic).run()
    bad = b"psid,token,consented_at\n1,t,yesterday\n"
    at.file_uploader(key="opt_in_import_file").upload("x.csv", bad, "text/csv").run()
    with reading() as db:
        assert not db.execute(select(Activity.id).where(Activity.verb == "export.make")).first()
    assert b"2" in files["opt_in_import_rejected"]()
    with reading() as db:
        noted = db.execute(select(Activity.actor, Activity.subject).where(Activity.verb == "export.make"))
        assert noted.all() == [("editor.opt.ins", "opt-ins-rejected.csv")]


def test_an_import_needs_a_topic_first(panel, fanpage):
    at = press(panel("opt_ins"), "opt_ins_start")
    assert "Create a topic first" in all_words(at)


def test_a_viewer_gets_no_import_and_without_the_right_no_export(panel, arrange, fanpage, topic, lan):
    arrange.opt_in(topic, lan, fanpage_id=fanpage)
    at = panel("opt_ins", role="viewer")
    assert "opt_ins_import" not in keys(at.button)
    assert not {"opt_ins_export", "opt_ins_export_xlsx"} & set(keys(at.download_button))


def test_an_editor_exports_as_a_workbook_or_for_programs(panel, arrange, fanpage, topic, lan):
    arrange.opt_in(topic, lan, fanpage_id=fanpage)
    at = panel("opt_ins", role="editor")
    assert at.download_button(key="opt_ins_export").label == "CSV for other programs"
    assert at.download_button(key="opt_ins_export_xlsx").label == "Excel workbook (.xlsx)"


def test_opt_ins_without_a_topic_get_one(panel, arrange, fanpage, topic, lan):
    for _ in range(2):
        arrange.opt_in(None, lan, fanpage_id=fanpage)
    at = panel("opt_ins", role="editor")
    assert "2 opt-ins came without a topic" in all_words(at)
    press(at, "opt_in_assign_open")
    assert at.button(key="opt_in_assign_save").disabled  # nothing is chosen for anybody
    at.selectbox(key="opt_in_assign_topic").select(topic).run()
    press(at, "opt_in_assign_save")
    assert {row.topic_id for row in opt_ins()} == {topic}
    assert "without a topic" not in all_words(at)


def test_a_topic_that_is_archived_meanwhile_is_not_replaced_by_another(panel, arrange, fanpage, topic):
    other = arrange.topic(fanpage, "Hoa tulip")
    arrange.opt_in(None, arrange.customer(fanpage), fanpage_id=fanpage)
    at = press(panel("opt_ins", role="editor"), "opt_in_assign_open")
    at.selectbox(key="opt_in_assign_topic").select(other).run()
    assert at.button(key="opt_in_assign_save").label == "Assign “Hoa tulip”"
    archive_topic(COMMAND_LINE, other, now=utc_now())
    at.run()
    assert at.selectbox(key="opt_in_assign_topic").value is None
    assert at.button(key="opt_in_assign_save").disabled
    assert [row.topic_id for row in opt_ins()] == [None]


def test_opt_ins_are_found_by_name_and_by_the_month_in_which_they_were_agreed(
    panel, arrange, fanpage, topic, lan
):
    this_month = f"{utc_now().astimezone(ZoneInfo('Asia/Ho_Chi_Minh')):%Y-%m}"  # the fanpage's zone
    minh = arrange.customer(fanpage, "Minh", search_text="minh 99")
    for customer, days in ((lan, 0), (minh, 62)):
        arrange.opt_in(topic, customer, fanpage_id=fanpage, consented_at=utc_now() - timedelta(days=days))
    for role, query in (("viewer", {"q": "NGUYEN"}), ("editor", {"agreed": this_month})):
        words = all_words(panel("opt_ins", role, **query))
        assert "Nguyễn Lan" in words
        assert "Minh" not in words


def test_the_columns_that_somebody_chose_are_kept_for_them(panel, arrange, fanpage, topic, lan):
    arrange.opt_in(topic, lan, fanpage_id=fanpage)
    at = panel("opt_ins", role="viewer")
    assert 'data-label="Promise"' in html(at)
    at.checkbox(key="opt_ins_column_promise").uncheck().run()
    assert 'data-label="Promise"' not in html(at)
    again = opened(at.session_state["operator_id"], page="opt_ins")
    assert 'data-label="Promise"' not in html(again)
    assert 'data-label="State"' in html(again)


def test_tags_are_put_on_and_taken_off_and_narrow_the_list(panel, arrange, fanpage, lan):
    arrange.customer(fanpage, "Minh", search_text="minh 99")
    at = panel("customer", role="editor", id=lan)
    at.multiselect(key=f"customer_{lan}_tags").set_value(["Khách VIP"]).run()
    assert not at.exception
    (tag,) = list_tags(fanpage)
    assert (tag.name, tag.customers) == ("Khách VIP", 1)
    words = all_words(panel("customers", role="viewer", tag=tag.id))
    assert "Nguyễn Lan" in words
    assert "Minh" not in words
    at.multiselect(key=f"customer_{lan}_tags").set_value([]).run()
    assert list_tags(fanpage)[0].customers == 0


def test_a_tag_is_deleted_after_its_consequence_was_shown(panel, fanpage, lan):
    add_tag(COMMAND_LINE, lan, "VIP", now=utc_now())
    (tag,) = list_tags(fanpage)
    at = press(panel("customers", role="editor", tag=tag.id), "tag_delete")
    assert "1 customer loses the tag" in all_words(at)
    press(at, "tag_delete_dialog_confirm")
    assert list_tags(fanpage) == []


def test_a_customers_story_is_told_from_the_latest_back(panel, arrange, fanpage, topic, lan):
    at = utc_now() - timedelta(days=2)
    arrange.opt_in(topic, lan, fanpage_id=fanpage, promise="Báo tôi", consented_at=at)
    story = html(panel("customer", id=lan)).split("</table>")[0]
    assert "Agreed" in story
    assert "Báo tôi" in story
    assert story.index("Agreed") < story.index("First contact")
