"""Two people, or two tabs, in one draft: both are told, and nothing of either is lost."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from streamlit.testing.v1 import AppTest

from core.accounts.rules import COMMAND_LINE, Actor, Role
from core.broadcasts import actions, queries, retry, scheduled_jobs
from core.broadcasts.draft_rules import USUAL
from core.broadcasts.drafts import get_draft, keep_draft
from core.broadcasts.topic_archiving import archive_topic
from core.clock import utc_now
from core.conversation.actions import archive_message
from core.conversation.payloads import STOP_ALL, STOP_PAYLOAD
from core.db.tables import Message, Topic
from core.fanpages import time_zone
from core.fanpages.time_zone import ZoneChangeKeeps
from pages.broadcasts.new import steps
from tests.pages.broadcasts import a_draft, put, started
from tests.pages.conftest import an_operator, opened
from tests.pages.shown import all_words, keys

OTHERS = {"kind": "text", "text": "Bản của Lan: khuyến mãi đến thứ sáu", "fallback": ""}
LAN = Actor(None, "lan", Role.SENDER)


def tab(arrange, name: str, draft: int, step: str, role: str = "sender") -> AppTest:
    return opened(an_operator(arrange, role, name=name), page="new_broadcast", id=draft, step=step)


def elsewhere(draft: int, **fields: object) -> None:
    began = get_draft(draft)
    keep_draft(LAN, replace(began, **fields), began=began, now=utc_now())


def told(at: AppTest) -> str:
    return "\n".join(toast.value for toast in at.toast)


def test_a_stale_tab_does_not_put_the_topic_back(panel, arrange, topic_id) -> None:
    draft, other = a_draft(topic_id), arrange.topic(1, "Khác")
    at = panel("new_broadcast", id=draft, step="who")
    elsewhere(draft, topic_id=other)
    at.text_input(key=f"broadcast_{draft}_name").input("Tết").run()
    assert not at.exception
    assert (get_draft(draft).topic_id, get_draft(draft).name) == (other, "Tết")
    assert at.selectbox(key=f"broadcast_{draft}_topic").value == other
    assert "topic changed by lan at" in told(at)


def test_a_stale_tab_does_not_turn_a_planned_time_into_at_once(panel, topic_id) -> None:
    draft = a_draft(topic_id)
    at = panel("new_broadcast", id=draft, step="when")
    due_at = datetime.now(UTC).replace(microsecond=0) + timedelta(days=2)
    elsewhere(draft, due_at=due_at)
    at.selectbox(key=f"broadcast_{draft}_first").select(20).run()
    assert not at.exception
    assert (get_draft(draft).due_at, get_draft(draft).first_part) == (due_at, 20)
    assert at.radio(key=f"broadcast_{draft}_start").value == "later"
    assert "start changed by lan at" in told(at)
    version = get_draft(draft).version
    at.run()
    assert get_draft(draft).version == version  # to look at it is no change


@pytest.mark.parametrize("step", ["who", "what", "when", "check"])
def test_to_look_at_a_draft_is_no_change(panel, topic_id, step) -> None:
    draft = a_draft(topic_id)  # its message has no "fallback", as the composer would write it
    put(draft, due_at=utc_now() + timedelta(hours=30, seconds=7), best_before=utc_now() + timedelta(hours=50))
    put(draft, best_before_chosen=True)
    before = get_draft(draft)
    at = panel("new_broadcast", id=draft, step=step)
    at.run()
    assert not at.exception
    assert get_draft(draft) == before


def test_two_who_write_the_message_choose_with_both_before_them(arrange, topic_id) -> None:
    arrange.now = utc_now()
    draft = a_draft(topic_id)
    lan, minh = tab(arrange, "lan", draft, "what"), tab(arrange, "minh", draft, "what")
    lan.text_area[0].input(OTHERS["text"]).run()
    minh.text_area[0].input("Bản của Minh").run()
    assert not minh.exception
    assert get_draft(draft).content["text"] == OTHERS["text"]
    said = all_words(minh)
    assert "message changed by lan at" in said
    assert "Bản của Minh" in said
    assert minh.text_area[0].value == OTHERS["text"]
    assert "is lost if you reload" in said
    minh.button(key="step_on").click().run()  # the question goes along
    assert "Bản của Minh" in all_words(minh)
    minh.button(key="conflict_mine").click().run()
    assert get_draft(draft).content["text"] == "Bản của Minh"
    assert "conflict_mine" not in keys(minh.button)
    lan.run()
    assert lan.text_area[0].value == "Bản của Minh"
    assert "message changed by minh at" in told(lan)


def test_theirs_can_be_taken(arrange, topic_id) -> None:
    arrange.now = utc_now()
    draft = a_draft(topic_id)
    minh = tab(arrange, "minh", draft, "when")
    elsewhere(draft, first_part=100)
    minh.selectbox(key=f"broadcast_{draft}_first").select(20).run()
    assert "First 20, then the rest" in all_words(minh)
    minh.button(key="conflict_theirs").click().run()
    assert not minh.exception
    assert get_draft(draft).first_part == 100
    assert minh.selectbox(key=f"broadcast_{draft}_first").value == 100
    assert "conflict_theirs" not in keys(minh.button)


def test_a_click_in_a_draft_that_a_colleague_deleted_does_not_lead_on_in_the_next_one(
    arrange, topic_id
) -> None:
    arrange.now = utc_now()
    draft, other = a_draft(topic_id), a_draft(topic_id)
    minh = tab(arrange, "minh", draft, "who")
    actions.delete_draft(LAN, draft, now=utc_now())
    minh.button(key="step_on").click().run()
    assert "does not exist" in all_words(minh)
    minh.query_params["id"] = str(other)
    minh.run()
    assert f"broadcast_{other}_topic" in keys(minh.selectbox)


def test_nothing_is_launched_before_one_of_two_versions_was_chosen(arrange, topic_id) -> None:
    arrange.now = utc_now()
    draft = a_draft(topic_id)
    minh = tab(arrange, "minh", draft, "what")
    elsewhere(draft, content=OTHERS)
    minh.text_area[0].input("Bản của Minh")
    minh.button(key="step_check").click().run()
    minh.checkbox(key=f"broadcast_{draft}_tick").check().run()
    assert minh.button(key="broadcast_launch").disabled
    assert "Choose above which version to use" in all_words(minh)
    minh.button(key="conflict_theirs").click().run()
    assert not minh.button(key="broadcast_launch").disabled


def test_what_was_being_written_can_be_copied_when_a_colleague_deletes_the_draft(arrange, topic_id) -> None:
    arrange.now = utc_now()
    draft = a_draft(topic_id, kind="buttons", text="Chào", buttons=[{"title": "Xem", "url": "https://a.vn"}])
    minh = tab(arrange, "minh", draft, "what")
    actions.delete_draft(LAN, draft, now=utc_now())
    minh.text_area[0].input("Bản của Minh").run()
    for _again in range(2):
        assert not minh.exception
        assert "does not exist" in all_words(minh)
        assert [code.value for code in minh.code] == ["Bản của Minh\nXem\nhttps://a.vn"]
        minh.run()
    assert not tab(arrange, "lan", draft, "what").code


def test_to_keep_mine_after_theirs_changed_again_asks_again(arrange, topic_id) -> None:
    arrange.now = utc_now()
    draft = a_draft(topic_id)
    minh = tab(arrange, "minh", draft, "when")
    elsewhere(draft, first_part=100)
    minh.selectbox(key=f"broadcast_{draft}_first").select(20).run()
    elsewhere(draft, first_part=500)
    minh.button(key="conflict_mine").click().run()
    assert get_draft(draft).first_part == 500
    assert "First 500, then the rest" in all_words(minh)
    minh.button(key="conflict_mine").click().run()
    assert get_draft(draft).first_part == 20


def test_a_launch_of_a_draft_that_was_changed_says_what_changed(arrange, topic_id) -> None:
    arrange.now = utc_now()
    draft = a_draft(topic_id)
    minh = tab(arrange, "minh", draft, "check")
    minh.checkbox(key=f"broadcast_{draft}_tick").check().run()
    minh.button(key="broadcast_launch").click().run()
    elsewhere(draft, content=OTHERS)
    minh.button(key="launch_confirm").click().run()
    assert not minh.exception
    assert "message changed by lan at" in all_words(minh)
    assert (get_draft(draft).state, get_draft(draft).content) == ("draft", OTHERS)


def test_a_click_on_launch_after_a_colleagues_change_asks_to_look_again(arrange, topic_id) -> None:
    arrange.now = utc_now()
    draft = a_draft(topic_id)
    minh = tab(arrange, "minh", draft, "check")
    minh.checkbox(key=f"broadcast_{draft}_tick").check().run()
    elsewhere(draft, content=OTHERS)
    minh.button(key="broadcast_launch").click().run()
    assert "launch_confirm" not in keys(minh.button)
    assert minh.button(key="broadcast_launch").disabled  # until the promise is confirmed of what it says now
    minh.checkbox(key=f"broadcast_{draft}_tick").check().run()
    minh.button(key="broadcast_launch").click().run()
    assert "launch_confirm" in keys(minh.button)


def test_what_is_being_written_stays_in_the_tab_when_a_colleague_schedules_it(arrange, topic_id) -> None:
    arrange.now = utc_now()
    draft = a_draft(topic_id)
    minh = tab(arrange, "minh", draft, "what")
    actions.schedule(COMMAND_LINE, draft, at=utc_now() + timedelta(hours=3), now=utc_now())
    minh.text_area[0].input("Bản của Minh").run()
    assert not minh.exception
    assert "In the meantime this broadcast has become “scheduled”" in all_words(minh)
    assert "nothing written here is saved" in all_words(minh)
    assert "saved as you go" not in all_words(minh)
    assert "draft_delete" not in keys(minh.button)
    assert minh.text_area[0].value == "Bản của Minh"
    assert get_draft(draft).content["text"] != "Bản của Minh"


def test_a_best_before_is_a_moment_and_stays_when_the_start_moves(panel, topic_id) -> None:
    draft = a_draft(topic_id)
    at = panel("new_broadcast", id=draft, step="when")
    assert get_draft(draft).best_before == USUAL
    at.selectbox(key=f"broadcast_{draft}_late").select("chosen").run()
    day = (utc_now() + timedelta(days=4)).date()
    at.date_input(key=f"broadcast_{draft}_late_day").set_value(day).run()
    late = get_draft(draft).best_before
    at.radio(key=f"broadcast_{draft}_start").set_value("later").run()
    at.date_input(key=f"broadcast_{draft}_day").set_value(day - timedelta(days=2)).run()
    assert get_draft(draft).best_before == late
    at.date_input(key=f"broadcast_{draft}_day").set_value(day + timedelta(days=2)).run()
    assert get_draft(draft).best_before == late
    assert "The send-by time must be after the start" in all_words(at)
    at.selectbox(key=f"broadcast_{draft}_late").select("never").run()
    assert get_draft(draft).best_before is None


def test_what_was_typed_a_moment_before_going_on_is_saved(panel, topic_id) -> None:
    draft = a_draft(topic_id)
    at = panel("new_broadcast", id=draft, step="who")
    at.text_input(key=f"broadcast_{draft}_name").input("Tết")
    at.button(key="step_on").click().run()
    at.text_area[0].input("Hàng về")
    at.button(key="step_on").click().run()
    at.selectbox(key=f"broadcast_{draft}_first").select(50)
    at.button(key="step_on").click().run()
    kept = get_draft(draft)
    assert (kept.name, kept.content["text"], kept.first_part) == ("Tết", "Hàng về", 50)
    assert "check_launch" in str(at.main) or "broadcast_launch" in keys(at.button)


def test_going_on_saves_the_step_and_draws_the_next_in_one_run(panel, topic_id, monkeypatch) -> None:
    draft, drawn, draw_nav = a_draft(topic_id), [], steps.draw_nav
    monkeypatch.setattr(steps, "draw_nav", lambda step: (drawn.append(step), draw_nav(step)))
    at = panel("new_broadcast", id=draft, step="who")
    for step in ("what", "when", "check"):
        drawn.clear()
        at.button(key="step_on").click().run()
        assert not at.exception
        assert drawn == [step]


def test_a_click_on_the_step_that_is_open_saves_and_stays(panel, topic_id) -> None:
    draft = a_draft(topic_id)
    at = panel("new_broadcast", id=draft, step="who")
    at.text_input(key=f"broadcast_{draft}_name").input("Tết")
    at.button(key="step_who").click().run()
    assert not at.exception
    assert get_draft(draft).name == "Tết"
    at.button(key="step_on").click().run()
    assert at.text_area


def test_a_second_click_that_finds_its_step_open_already_changes_nothing(panel, topic_id) -> None:
    """Of a double click on "Continue" the second comes when the first has led on."""
    at = panel("new_broadcast", id=a_draft(topic_id), step="who")
    at.query_params["step"] = "what"
    at.button(key="step_on").click().run()
    assert not at.exception
    assert at.text_area


def test_a_click_on_the_first_step_before_there_is_a_draft_leads_nowhere_later(panel, topic_id) -> None:
    at = panel("new_broadcast")
    at.button(key="step_who").click().run()
    assert not at.exception
    at.query_params["id"] = str(a_draft(topic_id))
    at.query_params["step"] = "what"
    at.run()
    assert not at.exception
    assert at.text_area


def test_what_cannot_be_saved_stays_on_its_step_with_the_reason(panel, topic_id) -> None:
    draft = a_draft(topic_id)
    at = panel("new_broadcast", id=draft, step="who")
    at.text_input(key=f"broadcast_{draft}_name").input("Tết " * 100)
    at.button(key="step_on").click().run()
    assert "name can have at most" in all_words(at)
    assert at.text_input(key=f"broadcast_{draft}_name").value == "Tết " * 100
    assert at.query_params["step"] in ("who", ["who"])
    at.text_input(key=f"broadcast_{draft}_name").input("Tết")
    at.button(key="step_on").click().run()
    assert get_draft(draft).name == "Tết"
    assert at.text_area


@pytest.mark.parametrize("keep", list(ZoneChangeKeeps))
def test_another_time_zone_moves_nothing_in_a_tab_that_shows_the_old_one(panel, topic_id, keep) -> None:
    draft, hour = a_draft(topic_id), timedelta(hours=1)
    due_at = (utc_now() + timedelta(days=3)).replace(hour=2, minute=0, second=0, microsecond=0)
    elsewhere(draft, due_at=due_at, best_before=due_at + 3 * hour)
    at = panel("new_broadcast", id=draft, step="when")
    time_zone.change_zone(COMMAND_LINE, 1, "Asia/Tokyo", keep=keep, now=utc_now())
    kept = get_draft(draft)
    assert kept.due_at == due_at - (2 * hour if keep == ZoneChangeKeeps.LOCAL_TIME else timedelta())
    at.selectbox(key=f"broadcast_{draft}_first").select(20).run()
    at.run()
    assert not at.exception
    seen = get_draft(draft)
    assert (seen.due_at, seen.best_before, seen.first_part) == (kept.due_at, kept.best_before, 20)
    local = kept.due_at.astimezone(ZoneInfo("Asia/Tokyo"))
    assert at.time_input(key=f"broadcast_{draft}_time").value == local.time()


def test_another_time_zone_is_told_where_a_start_is_chosen(panel, topic_id) -> None:
    draft = a_draft(topic_id)
    at = panel("new_broadcast", id=draft, step="when")
    time_zone.change_zone(COMMAND_LINE, 1, "Asia/Tokyo", keep=None, now=utc_now())
    at.run()
    assert "The fanpage now uses the time zone Asia/Tokyo" in told(at)
    at.run()
    assert "The fanpage now uses the time zone" not in told(at)


def test_another_time_zone_is_told_also_to_who_comes_back_to_the_start(panel, topic_id) -> None:
    draft = a_draft(topic_id)
    at = panel("new_broadcast", id=draft, step="when")
    at.button(key="step_what").click().run()
    time_zone.change_zone(COMMAND_LINE, 1, "Asia/Tokyo", keep=None, now=utc_now())
    at.button(key="step_when").click().run()
    assert "The fanpage now uses the time zone Asia/Tokyo" in told(at)


def test_a_stale_tab_that_only_goes_on_is_told(panel, topic_id) -> None:
    draft = a_draft(topic_id)
    at = panel("new_broadcast", id=draft, step="when")
    elsewhere(draft, first_part=100)
    at.button(key="step_on").click().run()
    assert not at.exception
    assert "broadcast_launch" in keys(at.button)
    assert "first part changed by lan at" in told(at)
    assert get_draft(draft).first_part == 100


def test_a_stale_tab_that_goes_on_to_where_it_is_shows_what_is_kept(panel, topic_id) -> None:
    draft = a_draft(topic_id)
    at = panel("new_broadcast", id=draft, step="when")
    elsewhere(draft, first_part=100)
    at.button(key="step_when").click().run()
    at.run()
    assert at.selectbox(key=f"broadcast_{draft}_first").value == 100
    assert get_draft(draft).first_part == 100


@pytest.mark.parametrize(("gone", "said"), [("message", "leads to a message"), ("topic", "names a topic")])
def test_a_button_that_leads_to_what_is_gone_stays_until_another_is_chosen(
    panel, arrange, topic_id, gone, said
) -> None:
    named = {"fanpage_id": 1, "name": "Khác", "created_at": utc_now(), "updated_at": utc_now()}
    row = Message(published=1, **named) if gone == "message" else Topic(**named)
    target = arrange.save(row)
    leads = {"message_id": target} if gone == "message" else {"stop": target}
    draft = a_draft(topic_id, kind="buttons", text="Chào", buttons=[{"title": "Xem", **leads}], fallback="")
    open_before = panel("new_broadcast", id=draft, step="what", role="editor")
    before = get_draft(draft)
    archive = archive_message if gone == "message" else archive_topic
    archive(COMMAND_LINE, target, now=utc_now())
    at = panel("new_broadcast", id=draft, step="what")
    open_before.run()
    for tab in (at, open_before):
        assert not tab.exception
        assert f"{said} that no longer exists; choose another one" in all_words(tab)
        assert get_draft(draft) == before
    (chosen,) = (box for box in at.selectbox if box.label == "Leads to")
    assert chosen.value is None
    chosen.select(f"{STOP_PAYLOAD}{STOP_ALL}").run()
    assert get_draft(draft).content["buttons"] == [{"title": "Xem", "stop": STOP_ALL}]
    assert "that no longer exists" not in all_words(at)


def test_a_draft_on_an_archived_topic_says_so_where_the_topic_is_chosen(panel, arrange, topic_id) -> None:
    draft, other = a_draft(topic_id), arrange.topic(1, "Khác")
    archive_topic(COMMAND_LINE, topic_id, now=utc_now())
    at = panel("new_broadcast", id=draft, step="who")
    assert not at.exception
    assert "is archived; restore it or choose another one" in all_words(at)
    at.selectbox(key=f"broadcast_{draft}_topic").select(other).run()
    assert "is archived" not in all_words(at)


# Pages that have become old


def test_send_now_after_a_colleague_took_it_back_sends_nothing(panel, topic_id) -> None:
    broadcast_id = a_draft(topic_id)
    actions.schedule(COMMAND_LINE, broadcast_id, at=utc_now() + timedelta(hours=3), now=utc_now())
    at = panel("broadcast", role="sender", id=broadcast_id)
    at.button(key="broadcast_launch").click().run()
    actions.unschedule(COMMAND_LINE, broadcast_id, now=utc_now())
    at.button(key="broadcast_launch_confirm").click().run()
    assert not at.exception
    assert queries.get_broadcast(broadcast_id).state == "draft"


def test_resume_after_it_paused_itself_for_another_reason_sends_nothing(panel, topic_id) -> None:
    broadcast_id = started(topic_id)
    actions.pause(COMMAND_LINE, broadcast_id, now=utc_now())
    at = panel("broadcast", role="sender", id=broadcast_id)
    at.button(key="broadcast_resume").click().run()
    put(broadcast_id, pause_code="canary_failed")
    at.button(key="broadcast_resume_confirm").click().run()
    assert "paused again in the meantime, for another reason" in all_words(at)
    assert queries.get_broadcast(broadcast_id).state == "paused"


@pytest.mark.parametrize("now_is", ["finished", "cancelled"])
def test_a_pause_that_comes_too_late_says_so(panel, topic_id, now_is) -> None:
    broadcast_id = started(topic_id)
    at = panel("broadcast", role="sender", id=broadcast_id)
    put(broadcast_id, state=now_is)
    at.button(key="broadcast_pause").click().run()
    assert f"The broadcast's state is “{now_is}”, so this is not possible" in told(at)


def test_a_cancel_that_comes_after_the_start_says_so(panel, topic_id) -> None:
    broadcast_id = a_draft(topic_id)
    actions.schedule(COMMAND_LINE, broadcast_id, at=utc_now(), now=utc_now())
    at = panel("broadcast", role="sender", id=broadcast_id)
    at.button(key="broadcast_cancel").click().run()
    assert scheduled_jobs.start_due(now=utc_now()) == [broadcast_id]
    at.button(key="broadcast_cancel_confirm").click().run()
    assert "It had started in the meantime, and 0 customers have got it" in told(at)
    assert queries.get_broadcast(broadcast_id).state == "cancelled"


def test_a_retry_that_a_colleague_has_done_already_says_so(panel, topic_id) -> None:
    broadcast_id = started(topic_id)
    actions.cancel(COMMAND_LINE, broadcast_id, now=utc_now())
    at = panel("broadcast", role="sender", id=broadcast_id)
    at.button(key="broadcast_rest").click().run()
    retry.send_to_rest(COMMAND_LINE, broadcast_id, now=utc_now())
    at.button(key="broadcast_rest_confirm").click().run()
    assert "It has already been decided" in told(at)
