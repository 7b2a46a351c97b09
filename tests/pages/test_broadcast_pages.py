"""The broadcast pages: from a draft to the launch, watching, steering, and the people behind each number."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlmodel import col, select, update

from core.accounts.rules import COMMAND_LINE
from core.broadcasts import (
    actions,
    audience_builder,
    queries,
    scheduled_jobs,
)
from core.broadcasts.delivery_queries import list_deliveries
from core.broadcasts.drafts import get_draft, keep_draft
from core.broadcasts.dry_run_queries import dry_run
from core.broadcasts.result_counting import count_results
from core.clock import utc_now
from core.db.engine import transaction
from core.db.tables import Customer, Fanpage, Heartbeat, OptIn
from pages.broadcasts.new import who
from tests.broadcasts.audiences import choose_first_part
from tests.pages.broadcasts import TEXT, a_draft, put, settle, started, state_of
from tests.pages.shown import all_words, keys

# The list


def test_an_empty_list_leads_to_the_first_broadcast(panel, topic_id) -> None:
    at = panel("broadcasts", role="editor")
    assert "No broadcasts yet" in all_words(at)
    assert "broadcasts_start" in keys(at.button)
    assert "broadcasts_start" not in keys(panel("broadcasts", role="viewer").button)


def test_the_list_shows_states_and_finds_without_marks(panel, topic_id) -> None:
    for name in ("Hoa Tết về", "Giảm giá hè"):
        put(a_draft(topic_id), name=name)
    running = started(topic_id)
    at = panel("broadcasts", role="viewer")
    assert "broadcast_add" not in keys(at.button)
    assert all(word in all_words(at) for word in ("Hoa Tết về", "Giảm giá hè", "Sending", "Draft"))
    at.text_input(key="q").input("hoa tet").run()
    assert "Hoa Tết về" in all_words(at)
    assert "Giảm giá hè" not in all_words(at)
    at.text_input(key="q").input("nichts").run()
    assert "No broadcasts match" in all_words(at)
    filtered = panel("broadcasts", state="sending")
    assert f"broadcast?id={running}" in all_words(filtered)
    assert "Hoa Tết về" not in all_words(filtered)


# The stepper


def test_details_that_no_promise_holds_are_marked(panel, topic_id) -> None:
    """The three agreed to "Báo tôi khi có khuyến mãi": no price, day or percentage stands in it."""
    draft = a_draft(topic_id, kind="text", text="Khuyến mãi 20%\ntới 31/12")
    at = panel("new_broadcast", id=draft, step="what")
    assert ":orange-background[20%]" in all_words(at)
    assert ":orange-background[31/12]" in all_words(at)
    at.text_area[0].input("Khuyến mãi đã bắt đầu").run()
    assert "orange-background" not in all_words(at)


def test_from_the_topic_to_the_launch(panel, topic_id) -> None:
    at = panel("new_broadcast", role="sender")
    at.selectbox(key="broadcast_new_topic").select(topic_id).run()
    assert "Will get it 3" in all_words(at)
    assert "Báo tôi khi có khuyến mãi" in all_words(at)
    at.button(key="broadcast_begin").click().run()
    (draft,) = queries.list_broadcasts(None)
    assert at.query_params["id"] in (str(draft.id), [str(draft.id)])

    at.text_area[0].input("Chào {{first_name|bạn}}, khuyến mãi đã bắt đầu!").run()
    assert get_draft(draft.id).content["text"].endswith("bắt đầu!")  # saved as it was written
    at.button(key="step_on").click().run()
    at.button(key="step_on").click().run()
    assert at.button(key="broadcast_launch").disabled  # nobody has confirmed the promise
    at.checkbox(key=f"broadcast_{draft.id}_tick").check().run()
    at.button(key="broadcast_launch").click().run()
    assert "3 opt-ins will be used and can't be taken back" in all_words(at)
    assert state_of(draft.id) == "draft"
    at.button(key="launch_confirm").click().run()
    assert not at.exception
    view = queries.get_broadcast(draft.id)
    assert (view.state, view.launched_by) == ("scheduled", "sender.new.broadcast")
    assert view.best_before - view.due_at == timedelta(hours=12)


def test_an_unnamed_draft_is_called_by_the_time_it_was_begun_not_the_time_the_page_was_drawn(
    panel, topic_id, monkeypatch
) -> None:
    clock = [utc_now()]
    monkeypatch.setattr(who, "utc_now", lambda: clock[0])
    at = panel("new_broadcast", role="editor", topic=topic_id)
    clock[0] += timedelta(hours=1)
    at.button(key="broadcast_begin").click().run()
    (draft,) = queries.list_broadcasts(None)
    local = clock[0].astimezone(ZoneInfo("Asia/Ho_Chi_Minh"))
    assert draft.name.endswith(f"{local:%H:%M}")


def test_a_scheduled_broadcast_whose_opt_ins_another_one_used_says_that_nobody_would_get_it(
    panel, topic_id
) -> None:
    broadcast_id = a_draft(topic_id)
    actions.schedule(COMMAND_LINE, broadcast_id, at=utc_now() + timedelta(days=1), now=utc_now())
    assert "Nobody would get it" not in all_words(panel("broadcast", role="sender", id=broadcast_id))
    with transaction() as db:
        db.execute(update(OptIn).values(state="spent"))
    assert "Nobody would get it" in all_words(panel("broadcast", role="viewer", id=broadcast_id))


def test_a_scheduled_broadcast_that_nobody_would_get_cannot_be_sent_now_and_says_why(panel, topic_id) -> None:
    broadcast_id = a_draft(topic_id)
    actions.schedule(COMMAND_LINE, broadcast_id, at=utc_now() + timedelta(days=1), now=utc_now())
    at = panel("broadcast", role="sender", id=broadcast_id)
    at.button(key="broadcast_launch").click().run()
    assert not at.button(key="broadcast_launch_confirm").disabled
    with transaction() as db:
        db.execute(update(OptIn).values(state="spent"))
    at.run()
    assert at.button(key="broadcast_launch_confirm").disabled
    assert "there is nothing to send" in all_words(at)
    assert "Send to 0" not in all_words(at)


def test_who_drafted_and_launched_it_is_named_in_the_readers_language(panel, topic_id) -> None:
    broadcast_id = started(topic_id)  # by the command line, as the database has it
    said = all_words(panel("broadcast", role="viewer", id=broadcast_id))
    assert "· Command line" in said
    assert "command line" not in said


def test_what_is_scheduled_for_nobody_yet_names_no_customers(panel, topic_id) -> None:
    with transaction() as db:
        db.execute(update(OptIn).values(state="spent"))
    draft_id = a_draft(topic_id)
    put(draft_id, due_at=utc_now() + timedelta(days=1))
    at = panel("new_broadcast", role="sender", id=draft_id, step="check")
    at.checkbox(key=f"broadcast_{draft_id}_tick").check().run()
    at.button(key="broadcast_launch").click().run()
    assert at.button(key="launch_confirm").label == "Schedule it"
    assert "nobody would get it" in all_words(at)


def test_beginning_twice_makes_one_draft(panel, topic_id) -> None:
    at = panel("new_broadcast", role="editor", topic=topic_id)
    button = at.button(key="broadcast_begin")
    button.click().run()
    assert len(queries.list_broadcasts(None)) == 1
    reloaded = panel("new_broadcast", id=queries.list_broadcasts(None)[0].id, step="what")
    assert reloaded.text_area
    assert len(queries.list_broadcasts(None)) == 1


def test_changing_the_words_takes_the_tick_away(panel, topic_id) -> None:
    draft = a_draft(topic_id)
    at = panel("new_broadcast", id=draft, step="what")
    tick = f"broadcast_{draft}_tick"
    at.checkbox(key=tick).check().run()
    assert at.checkbox(key=tick).value
    at.text_area[0].input("Khuyến mãi khác").run()
    assert not at.checkbox(key=tick).value


def test_half_a_message_survives_a_reload_and_cannot_be_launched(panel, topic_id) -> None:
    draft = actions.create_broadcast(COMMAND_LINE, topic_id=topic_id, now=utc_now())
    at = panel("new_broadcast", id=draft, step="what")
    at.segmented_control(key=f"broadcast_{draft}_kind").select("buttons").run()
    at.text_area[0].input("Xem khuyến mãi").run()
    at = panel("new_broadcast", role="editor", id=draft, step="what")
    assert at.text_area[0].value == "Xem khuyến mãi"
    at.button(key="step_check").click().run()
    assert "broadcast_launch" not in keys(at.button)
    at = panel("new_broadcast", role="sender", id=draft, step="check")
    assert "Write the button" in all_words(at)
    assert at.button(key="broadcast_launch").disabled


def test_words_come_back_when_the_kind_is_changed_back(panel, topic_id) -> None:
    draft = a_draft(topic_id)
    at = panel("new_broadcast", id=draft, step="what")
    kind = f"broadcast_{draft}_kind"
    at.segmented_control(key=kind).select("image").run()
    assert get_draft(draft).content["kind"] == "image"
    at.segmented_control(key=kind).select("text").run()
    assert at.text_area[0].value == TEXT["text"]


def test_a_time_is_the_fanpages_clock(panel, topic_id) -> None:
    draft = a_draft(topic_id)
    at = panel("new_broadcast", id=draft, step="when")
    at.radio(key=f"broadcast_{draft}_start").set_value("later").run()
    day = (utc_now() + timedelta(days=3)).date()
    at.date_input(key=f"broadcast_{draft}_day").set_value(day).run()
    kept = get_draft(draft)
    assert kept.due_at == datetime(day.year, day.month, day.day, 2, 0, tzinfo=UTC)  # 09:00 in Vietnam
    assert "Asia/Ho Chi Minh (UTC+7)" in all_words(at)
    at = panel("new_broadcast", role="sender", id=draft, step="check")
    at.checkbox(key=f"broadcast_{draft}_tick").check().run()
    at.button(key="broadcast_launch").click().run()
    at.button(key="launch_confirm").click().run()
    assert queries.get_broadcast(draft).due_at == kept.due_at


def test_a_clock_change_is_told(panel, arrange, topic_id) -> None:
    with transaction() as db:
        db.get(Fanpage, 1).timezone = "Europe/Berlin"
    draft = a_draft(topic_id)
    at = panel("new_broadcast", id=draft, step="when")
    at.radio(key=f"broadcast_{draft}_start").set_value("later").run()
    year = utc_now().year + 1
    spring = max(d for d in range(25, 32) if datetime(year, 3, d).weekday() == 6)
    at.date_input(key=f"broadcast_{draft}_day").set_value(datetime(year, 3, spring).date()).run()
    at.time_input(key=f"broadcast_{draft}_time").set_value(datetime(2000, 1, 1, 2, 30).time()).run()
    assert "The clocks change on that day" in all_words(at)
    assert get_draft(draft).due_at == datetime(year, 3, spring, 1, 30, tzinfo=UTC)


def test_a_clash_on_the_same_topic_is_told_before_the_launch(panel, topic_id) -> None:
    other = a_draft(topic_id)
    actions.schedule(COMMAND_LINE, other, at=utc_now() + timedelta(hours=3), now=utc_now())
    at = panel("new_broadcast", id=a_draft(topic_id), step="who")
    assert "is scheduled for the same topic" in all_words(at)
    at.button(key="step_check").click().run()
    assert "would then reach" in all_words(at)
    assert "3 of 3" in all_words(at)


def test_who_is_left_out_is_listed_by_reason_and_by_name(panel, arrange, topic_id) -> None:
    fanpage_id = 1
    used = arrange.customer(fanpage_id, "Quân")
    arrange.opt_in(topic_id, used, fanpage_id=fanpage_id, state="spent")
    at = panel("new_broadcast", topic=topic_id, people="used")
    assert "Already notified" in all_words(at)
    assert "Quân" in all_words(at)
    assert "Lan" not in all_words(at)


def test_a_draft_can_be_deleted_and_a_gone_one_is_told(panel, topic_id) -> None:
    draft = a_draft(topic_id)
    at = panel("new_broadcast", role="editor", id=draft)
    at.button(key="draft_delete").click().run()
    at.button(key="draft_delete_confirm").click().run()
    assert not at.exception
    assert len(queries.list_broadcasts(None)) == 0
    assert "does not exist" in all_words(panel("new_broadcast", id=draft))


def test_viewers_may_not_draft(panel, topic_id) -> None:
    assert "doesn't allow this" in all_words(panel("new_broadcast", role="viewer"))


# Watching and steering


def test_progress_and_the_closing_balance(panel, topic_id) -> None:
    broadcast_id = started(topic_id)
    settle(broadcast_id, ("sent", None), ("failed", "blocked"), ("unknown", "timeout"))
    put(broadcast_id, state="finished", finished_at=utc_now())
    said = all_words(panel("broadcast", role="viewer", id=broadcast_id))
    assert "<b>3</b> recipients" in said
    assert "<b>1</b> sent" in said
    assert "totals match" in said
    assert "Blocked the fanpage" in said
    assert "result is still in doubt" in said


def test_the_people_behind_a_number(panel, topic_id) -> None:
    broadcast_id = started(topic_id)
    settle(broadcast_id, ("sent", None), ("failed", "blocked"), ("failed", "content"))
    at = panel("broadcast", role="viewer", id=broadcast_id, state="failed", reason="blocked")
    assert ("Mai" in all_words(at), "Hùng" in all_words(at)) == (True, False)
    at.text_input(key="q").input("hung").run()
    assert "Nobody matches" in all_words(at)
    at = panel("broadcast", role="editor", id=broadcast_id, state="sent")
    assert "Hùng" not in all_words(at)
    at.pills(key="people_state").select("failed").run()
    assert "Hùng" in all_words(at)


def test_pause_resume_and_cancel(panel, topic_id) -> None:
    broadcast_id = started(topic_id)
    at = panel("broadcast", role="sender", id=broadcast_id)
    at.button(key="broadcast_pause").click().run()
    assert state_of(broadcast_id) == "paused"
    assert "3 customers are waiting" in all_words(at)
    at.button(key="broadcast_resume").click().run()
    assert "3 more get it now" in all_words(at)
    at.button(key="broadcast_resume_confirm").click().run()
    assert state_of(broadcast_id) == "sending"
    at.button(key="broadcast_cancel").click().run()
    assert "3 customers still waiting won't get it and keep their opt-ins" in all_words(at)
    at.button(key="broadcast_cancel_confirm").click().run()
    assert not at.exception
    assert state_of(broadcast_id) == "cancelled"
    assert dry_run(topic_id, now=utc_now()).eligible == 3


@pytest.mark.parametrize("role", ["viewer", "editor"])
def test_who_may_not_send_sees_no_steering(panel, topic_id, role) -> None:
    broadcast_id = started(topic_id)
    shown = keys(panel("broadcast", role=role, id=broadcast_id).button)
    assert not shown & {"broadcast_pause", "broadcast_cancel", "broadcast_resume"}


def test_a_finished_broadcast_is_copied_into_a_draft(panel, topic_id) -> None:
    broadcast_id = started(topic_id)
    put(broadcast_id, state="finished", finished_at=utc_now())
    at = panel("broadcast", role="editor", id=broadcast_id)
    at.button(key="broadcast_copy").click().run()
    assert not at.exception
    copied = queries.list_broadcasts(None)[0]
    assert (copied.state, copied.content["text"]) == ("draft", TEXT["text"])
    assert at.text_area  # the copy is open in the stepper
    assert len(queries.list_broadcasts(None)) == 2


def test_a_scheduled_one_can_be_taken_back_or_sent_now(panel, topic_id) -> None:
    broadcast_id = a_draft(topic_id)
    actions.schedule(COMMAND_LINE, broadcast_id, at=utc_now() + timedelta(hours=3), now=utc_now())
    at = panel("broadcast", role="sender", id=broadcast_id)
    assert "Would get it 3" in all_words(at)
    at.button(key="broadcast_launch").click().run()
    at.button(key="broadcast_launch_confirm").click().run()
    assert queries.get_broadcast(broadcast_id).due_at <= utc_now()
    at = panel("broadcast", id=broadcast_id)
    at.button(key="broadcast_unschedule").click().run()
    at.button(key="broadcast_unschedule_confirm").click().run()
    assert not at.exception
    assert state_of(broadcast_id) == "draft"


def test_a_missed_one_says_what_to_do(panel, topic_id) -> None:
    broadcast_id = a_draft(topic_id)
    put(
        broadcast_id,
        state="missed",
        due_at=utc_now() - timedelta(hours=9),
        best_before=utc_now() - timedelta(hours=1),
    )
    at = panel("broadcast", role="sender", id=broadcast_id)
    assert "no opt-in was used" in all_words(at)
    assert {"broadcast_unschedule", "broadcast_cancel"} <= keys(at.button)


def test_a_stop_by_messenger_says_what_to_do(panel, topic_id) -> None:
    broadcast_id = started(topic_id)
    put(broadcast_id, state="paused", pause_code="token_invalid")
    with transaction() as db:
        db.get(Fanpage, 1).stopped_code = "token_invalid"
    at = panel("broadcast", role="sender", id=broadcast_id)
    assert "Messenger is not accepting messages from this fanpage" in all_words(at)
    assert "3 customers are still waiting" in all_words(at)
    assert "broadcast_resume" not in keys(at.button)  # it goes on by itself once repaired


def test_one_that_paused_itself_says_why_and_the_failed_can_be_tried_again(panel, topic_id) -> None:
    broadcast_id = started(topic_id)
    settle(broadcast_id, ("failed", "blocked"), ("failed", "blocked"), ("queued", None))
    with transaction() as db:
        db.execute(update(OptIn).where(col(OptIn.state) == "reserved").values(state="available"))
    put(broadcast_id, state="paused", pause_code="alike:blocked")
    seen = all_words(panel("broadcast", role="viewer", id=broadcast_id))
    assert "Paused automatically" in seen
    assert "refused 2 customers for the same reason each time (Blocked the fanpage)" in seen
    at = panel("broadcast", role="sender", id=broadcast_id)
    assert {"broadcast_resume", "broadcast_retry"} <= keys(at.button)


def test_one_that_stopped_itself_says_what_to_do(panel, topic_id) -> None:
    broadcast_id = started(topic_id)
    settle(
        broadcast_id, ("failed", "token_refused"), ("cancelled", "all_refused"), ("cancelled", "all_refused")
    )
    put(broadcast_id, state="cancelled", pause_code="all_refused", finished_at=utc_now())
    assert "Stopped automatically" in all_words(panel("broadcast", id=broadcast_id))


def test_doubts_are_settled_by_staff(panel, topic_id) -> None:
    broadcast_id = started(topic_id)
    settle(broadcast_id, ("unknown", "timeout"), ("sent", None), ("sent", None))
    put(broadcast_id, state="finished", finished_at=utc_now())
    assert "broadcast_count" not in keys(panel("broadcast", role="editor", id=broadcast_id).button)
    at = panel("broadcast", role="sender", id=broadcast_id)
    at.button(key="broadcast_count").click().run()
    at.button(key="broadcast_count_dialog_confirm").click().run()
    assert not at.exception
    assert queries.get_broadcast(broadcast_id).counts["sent"] == 3


def test_the_rest_of_a_cancelled_one_can_still_get_it(panel, topic_id) -> None:
    broadcast_id = started(topic_id)
    actions.cancel(COMMAND_LINE, broadcast_id, now=utc_now())
    at = panel("broadcast", role="sender", id=broadcast_id)
    at.button(key="broadcast_rest").click().run()
    at.button(key="broadcast_rest_confirm").click().run()
    assert not at.exception
    view = queries.get_broadcast(broadcast_id)
    assert (view.state, view.counts["queued"]) == ("sending", 3)


def test_the_first_part_is_chosen_and_told(panel, topic_id) -> None:
    draft = a_draft(topic_id)
    at = panel("new_broadcast", id=draft, step="when")
    at.selectbox(key=f"broadcast_{draft}_first").select(20).run()
    assert get_draft(draft).first_part == 20
    choose_first_part(draft, 2, now=utc_now())
    actions.launch(COMMAND_LINE, draft, now=utc_now())
    scheduled_jobs.start_due(now=utc_now())
    assert "The first 2 go out first" in all_words(panel("broadcast", role="sender", id=draft))
    put(draft, state="paused", pause_code="canary_failed")
    assert "Paused automatically after the first 2" in all_words(panel("broadcast", role="editor", id=draft))


def test_an_audience_that_still_grows_is_told(panel, topic_id, monkeypatch) -> None:
    monkeypatch.setattr(audience_builder, "FIRST_CHUNK", 1)
    broadcast_id = started(topic_id)
    assert "more people are being added" in all_words(panel("broadcast", role="viewer", id=broadcast_id))
    audience_builder.build_audiences(utc_now)
    assert "being added" not in all_words(panel("broadcast", role="editor", id=broadcast_id))


def test_a_silent_worker_is_told(panel, arrange, topic_id) -> None:
    broadcast_id = started(topic_id)
    assert "The worker is not running" in all_words(panel("broadcast", role="viewer", id=broadcast_id))
    with transaction() as db:
        db.add(Heartbeat(process="worker a:1", at=utc_now(), started_at=utc_now()))
    assert "The worker is not running" not in all_words(panel("broadcast", role="editor", id=broadcast_id))


@pytest.mark.parametrize("asked", [{}, {"id": "99"}, {"id": "x"}, {"id": "9" * 30}])
def test_a_broadcast_that_is_not_there_is_told(panel, topic_id, asked) -> None:
    at = panel("broadcast", **asked)
    assert not at.exception
    assert "does not exist" in all_words(at)


# The overview


def test_a_newcomer_is_led_step_by_step(panel, arrange) -> None:
    at = panel("overview")
    assert "First steps" in all_words(at)
    assert at.button(key="first_step_go").label == "Go to Set-up"
    fanpage_id = arrange.fanpage()
    assert panel("overview", role="editor").button(key="first_step_go").label == "Create a topic"
    arrange.topic(fanpage_id)
    assert panel("overview", role="sender").button(key="first_step_go").label == "Write a message"
    assert "first_step_go" not in keys(panel("overview", role="viewer").button)


def test_today_shows_what_is_under_way_what_ended_and_what_was_missed(panel, arrange, topic_id) -> None:
    done = started(topic_id)
    settle(done, ("sent", None), ("sent", None), ("failed", "blocked"))
    put(done, state="finished", finished_at=utc_now(), name="Hoa Tết về")
    for _ in range(2):
        customer_id = arrange.customer(1)
        arrange.opt_in(topic_id, customer_id, fanpage_id=1, consented_at=utc_now() - timedelta(days=350))
    put(a_draft(topic_id), state="missed", name="Lỡ mất")
    put(a_draft(topic_id), state="scheduled", due_at=utc_now() + timedelta(hours=1), name="Sắp gửi")
    count_results(now=utc_now())  # as the worker does
    at = panel("overview", role="viewer")
    said = all_words(at)
    assert "Sắp gửi" in said
    assert "missed its send time" in said
    assert "2 opt-ins end within 30 days" in said
    assert "How did the last broadcast do" in said


@pytest.mark.parametrize("page", ["overview", "broadcasts", "broadcast", "new_broadcast"])
def test_nothing_is_left_in_english_on_a_vietnamese_page(panel, topic_id, page) -> None:
    broadcast_id = started(topic_id)
    asked = {"broadcast": {"id": broadcast_id}, "new_broadcast": {"id": a_draft(topic_id), "step": "check"}}
    at = panel(page, **asked.get(page, {}))
    at.session_state["language"] = "vi"
    at.run()
    for english in (" the ", " and ", "opt-in", "broadcast ", "Sending", "People"):
        assert english not in all_words(at).replace("Chào", "").split("</style>")[-1], english


def test_a_draft_that_is_kept_elsewhere_is_read_anew(panel, topic_id) -> None:
    draft = a_draft(topic_id)
    at = panel("new_broadcast", id=draft, step="what")
    other = get_draft(draft)
    changed = {"kind": "text", "text": "Khuyến mãi, bản của đồng nghiệp", "fallback": ""}
    keep_draft(COMMAND_LINE, replace(other, content=changed), began=other, now=utc_now())
    at.run()
    assert at.text_area[0].value == changed["text"]
    assert get_draft(draft).content == changed


# Whom it marked as unreachable


@pytest.fixture
def marking(topic_id) -> int:
    """A broadcast that was answered "blocked" for two of three, of whom one is not certain yet."""
    broadcast_id = started(topic_id)
    settle(broadcast_id, ("failed", "blocked"), ("failed", "blocked"), ("sent", None))
    put(broadcast_id, state="finished", finished_at=utc_now())
    with transaction() as db:
        for delivery, is_firm in zip(list_deliveries(broadcast_id), (True, False), strict=False):
            customer = db.get_one(Customer, delivery.customer_id)
            customer.unreachable_code, customer.unreachable_at = "blocked", utc_now()
            customer.unreachable_delivery_id = delivery.id
            customer.unreachable_firm_at = utc_now() if is_firm else None
    return broadcast_id


def test_who_was_marked_by_a_broadcast_is_told_and_only_a_sender_lifts_it(panel, marking) -> None:
    at = panel("broadcast", role="editor", id=marking)
    assert "2 customers were marked as unreachable by this broadcast." in all_words(at)
    assert "For 1 of them this is not certain yet" in all_words(at)
    assert "broadcast_lift" not in keys(at.button)


def test_all_marks_of_a_broadcast_are_lifted_after_their_number_was_shown(panel, marking) -> None:
    at = panel("broadcast", role="sender", id=marking)
    at.button(key="broadcast_lift").click().run()
    assert "**Broadcasts include 2 customers again**" in all_words(at)
    at.button(key="broadcast_lift_dialog_confirm").click().run()
    assert "marked as unreachable" not in all_words(at)
    with transaction() as db:
        assert not db.execute(select(Customer).where(col(Customer.unreachable_at).is_not(None))).all()
