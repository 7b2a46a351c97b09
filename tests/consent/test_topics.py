"""Topics: made, renamed, put away; and their figures."""

from datetime import timedelta

import pytest
from sqlmodel import select

from core.accounts.rules import COMMAND_LINE, Actor, Role
from core.broadcasts import topic_queries
from core.broadcasts.dry_run_queries import dry_run
from core.broadcasts.topic_archiving import archive_topic
from core.consent import actions, queries
from core.consent.customer_queries import count_customers, list_customers
from core.consent.withdrawal_actions import withdraw_customer
from core.db.engine import reading
from core.db.tables import Activity, Block, Broadcast, Message, OptIn, Topic
from core.errors import Invalid, NotAllowed, NotFound, WrongState

VIEWER = Actor(None, "viewer.one", Role.VIEWER)
EDITOR = Actor(None, "editor.one", Role.EDITOR)


def row(table, id_):
    with reading() as db:
        return db.get(table, id_)


def verbs():
    with reading() as db:
        return [activity.verb for activity in db.exec(select(Activity).order_by(Activity.id))]


def create(fanpage, now, name="KH nhận khuyến mãi SP mới", **more):
    return actions.create_topic(EDITOR, fanpage, name=name, now=now, **more)


def test_a_topic_is_created_with_a_tidy_name_and_recorded(fanpage, now):
    topic_id = create(fanpage, now, "  KH nhận   khuyến mãi ", description=" Hàng mới ")
    topic = queries.get_topic(topic_id, now=now)
    assert (topic.name, topic.description) == ("KH nhận khuyến mãi", "Hàng mới")
    assert verbs() == ["topic.create"]


def test_a_name_is_taken_whatever_its_case_and_unicode_form(fanpage, now):
    create(fanpage, now, "Khuyến mãi")
    with pytest.raises(Invalid, match="already"):
        create(fanpage, now, "KHUYẾN MÃI")
    with pytest.raises(Invalid, match="already"):
        create(fanpage, now, "Khuye\u0302\u0301n ma\u0303i")


def test_the_same_name_is_free_on_another_fanpage(fanpage, arrange, now):
    create(fanpage, now)
    assert create(arrange.fanpage("Tiệm khác"), now)


def test_an_archived_name_is_pointed_out(fanpage, now):
    archive_topic(EDITOR, create(fanpage, now, "Tết"), now=now)
    with pytest.raises(Invalid, match="archived topic"):
        create(fanpage, now, "tết")


@pytest.mark.parametrize("name", ["", "   ", "x" * 81])
def test_a_name_must_be_there_and_fit(fanpage, now, name):
    with pytest.raises(Invalid) as refused:
        create(fanpage, now, name)
    assert refused.value.problems[0].field == "name"


def test_a_description_must_fit(fanpage, now):
    with pytest.raises(Invalid) as refused:
        create(fanpage, now, description="x" * 501)
    assert refused.value.problems[0].field == "description"


def test_a_topic_needs_a_fanpage(fresh_database, now):
    with pytest.raises(NotFound):
        create(99, now)


def test_a_viewer_changes_nothing(fanpage, now):
    topic_id = create(fanpage, now)
    with pytest.raises(NotAllowed):
        actions.create_topic(VIEWER, fanpage, name="Khác", now=now)
    with pytest.raises(NotAllowed):
        actions.edit_topic(VIEWER, topic_id, name="Khác", description="", now=now)
    with pytest.raises(NotAllowed):
        archive_topic(VIEWER, topic_id, now=now)


def test_a_topic_is_renamed_once(fanpage, now):
    topic_id = create(fanpage, now)
    for _ in range(2):
        actions.edit_topic(EDITOR, topic_id, name="Hàng mới", description="d", now=now)
    assert queries.find_topic(fanpage, "Hàng mới") == topic_id
    assert verbs() == ["topic.create", "topic.edit"]


def test_a_topic_keeps_its_own_name_but_never_takes_another_s(fanpage, now):
    topic_id = create(fanpage, now, "Một")
    create(fanpage, now, "Hai")
    actions.edit_topic(EDITOR, topic_id, name="MỘT", description="", now=now)
    with pytest.raises(Invalid):
        actions.edit_topic(EDITOR, topic_id, name="hai", description="", now=now)


def test_an_archived_topic_leaves_the_list_and_comes_back(fanpage, now):
    topic_id = create(fanpage, now)
    archive_topic(EDITOR, topic_id, now=now)
    archive_topic(EDITOR, topic_id, now=now)
    assert queries.list_topics(fanpage, now=now) == []
    assert [topic.id for topic in queries.list_topics(fanpage, now=now, archived=True)] == [topic_id]
    actions.restore_topic(EDITOR, topic_id, now=now)
    assert [topic.id for topic in queries.list_topics(fanpage, now=now)] == [topic_id]
    assert verbs() == ["topic.create", "topic.archive", "topic.restore"]


def a_broadcast(arrange, fanpage, topic_id, state, now):
    values = {"content": {"kind": "text", "text": "Chào"}, "created_at": now, "updated_at": now}
    return arrange.save(Broadcast(fanpage_id=fanpage, topic_id=topic_id, name="Đợt 1", state=state, **values))


@pytest.mark.parametrize(("state", "is_kept"), [("sending", True), ("paused", True), ("finished", False)])
def test_a_topic_in_use_by_a_broadcast_is_not_archived(fanpage, arrange, now, state, is_kept):
    topic_id = create(fanpage, now)
    a_broadcast(arrange, fanpage, topic_id, state, now)
    if is_kept:
        with pytest.raises(WrongState, match="Đợt 1"):
            archive_topic(EDITOR, topic_id, now=now)
    else:
        archive_topic(EDITOR, topic_id, now=now)
    assert (row(Topic, topic_id).archived_at is None) == is_kept


def test_figures_count_opt_ins_by_state_and_people_once(fanpage, arrange, now):
    topic_id = create(fanpage, now)
    lan, mai = arrange.customer(fanpage, "Lan"), arrange.customer(fanpage, "Mai")
    for customer, state, days in [
        (lan, "available", 1),
        (lan, "available", 340),
        (mai, "available", 2),
        (mai, "spent", 3),
        (mai, "reserved", 3),
        (lan, "refused", 3),
        (lan, "withdrawn", 3),
        (lan, "expired", 400),
        (lan, "available", 364),  # its year has ended; the worker has not been by yet
    ]:
        at = now - timedelta(days=days)
        arrange.opt_in(topic_id, customer, fanpage_id=fanpage, state=state, consented_at=at)
    topic = queries.get_topic(topic_id, now=now)
    assert (topic.available, topic.people, topic.expiring_30_days) == (3, 2, 1)
    assert (topic.spent, topic.reserved, topic.refused, topic.withdrawn, topic.expired) == (1, 1, 1, 1, 2)
    assert topic.total == 9
    assert queries.list_topics(fanpage, now=now) == [topic]


def test_people_are_those_a_broadcast_would_reach(fanpage, arrange, now):
    topic_id = create(fanpage, now)
    gone = {"unreachable_at": now, "unreachable_firm_at": now, "unreachable_code": "blocked"}
    for states, more in [
        (["available", "available"], {}),
        (["available", "spent"], {}),
        (["spent"], {}),
        (["reserved"], {}),
        (["available"], gone),
        (["available", "available"], gone),
        (["spent"], gone),
    ]:
        customer = arrange.customer(fanpage, **more)
        for state in states:
            arrange.opt_in(topic_id, customer, fanpage_id=fanpage, state=state)
    topic = queries.get_topic(topic_id, now=now)
    assert (topic.people, topic.unreachable, topic.available) == (2, 2, 6)
    assert dry_run(topic_id, now=now).eligible == topic.people
    assert count_customers(fanpage, now=now, only="holding") == topic.people
    assert count_customers(fanpage, now=now, only="holding", search="Lan") == 0
    assert len(list_customers(fanpage, now=now, only="holding")) == topic.people


def test_a_topic_nobody_agreed_to_counts_nothing(fanpage, now):
    topic = queries.get_topic(create(fanpage, now), now=now)
    assert (topic.total, topic.people, topic.expiring_30_days) == (0, 0, 0)


def test_an_unknown_topic_is_not_found(fresh_database, now):
    with pytest.raises(NotFound):
        queries.get_topic(404, now=now)


def test_progress_says_who_must_be_asked_anew(fanpage, arrange, now):
    topic_id = create(fanpage, now)
    used_up, asked_again, held = (arrange.customer(fanpage, name) for name in ("Lan", "Mai", "Cúc"))
    for customer in (used_up, asked_again, held):
        arrange.opt_in(topic_id, customer, fanpage_id=fanpage, state="spent")
    arrange.opt_in(topic_id, asked_again, fanpage_id=fanpage)
    arrange.opt_in(topic_id, held, fanpage_id=fanpage, state="reserved")
    assert topic_queries.topic_progress(topic_id, now=now).need_asking == 1
    late = now + timedelta(days=370)
    assert topic_queries.topic_progress(topic_id, now=late).need_asking == 2


def test_progress_names_the_topics_broadcasts(fanpage, arrange, now):
    topic_id = create(fanpage, now)
    a_broadcast(arrange, fanpage, topic_id, "finished", now)
    progress = topic_queries.topic_progress(topic_id, now=now)
    assert [made.name for made in progress.broadcasts] == ["Đợt 1"]


def test_progress_names_the_messages_that_ask(fanpage, arrange, now):
    topic_id = create(fanpage, now)
    for name, archived_at, kind in [
        ("Chào", None, "otnr"),
        ("Cũ", now, "otnr"),
        ("Khác", None, "text"),
    ]:
        message = arrange.save(
            Message(fanpage_id=fanpage, name=name, archived_at=archived_at, created_at=now, updated_at=now)
        )
        arrange.save(Block(message_id=message, position=0, kind=kind, topic_id=topic_id))
    assert [message.name for message in topic_queries.topic_progress(topic_id, now=now).messages] == ["Chào"]


def test_opt_ins_without_a_topic_get_one_once(fanpage, arrange, now):
    topic_id, lan = create(fanpage, now), arrange.customer(fanpage)
    homeless = [arrange.opt_in(None, lan, fanpage_id=fanpage) for _ in range(3)]
    elsewhere = arrange.fanpage("Khác")
    foreign = arrange.opt_in(None, arrange.customer(elsewhere), fanpage_id=elsewhere)
    assert actions.assign_topic(EDITOR, topic_id, opt_in_ids=homeless[:1], now=now) == 1
    assert actions.assign_topic(EDITOR, topic_id, now=now) == 2
    assert actions.assign_topic(EDITOR, topic_id, now=now) == 0
    assert row(OptIn, foreign).topic_id is None
    assert verbs() == ["topic.create", "opt_in.assign_topic", "opt_in.assign_topic"]


def test_an_opt_in_that_has_a_topic_keeps_it(fanpage, arrange, now):
    first, second = create(fanpage, now, "Một"), create(fanpage, now, "Hai")
    opt_in = arrange.opt_in(first, arrange.customer(fanpage), fanpage_id=fanpage)
    assert actions.assign_topic(EDITOR, second, opt_in_ids=[opt_in], now=now) == 0
    assert row(OptIn, opt_in).topic_id == first


def test_a_refused_opt_in_gets_another_chance(fanpage, arrange, now):
    opt_in = arrange.opt_in(
        create(fanpage, now), arrange.customer(fanpage), fanpage_id=fanpage, state="refused", settled_at=now
    )
    with pytest.raises(NotAllowed):
        actions.make_available_again(EDITOR, opt_in, now=now)
    for _ in range(2):
        actions.make_available_again(COMMAND_LINE, opt_in, now=now)
    assert (row(OptIn, opt_in).state, row(OptIn, opt_in).settled_at) == ("available", None)
    assert verbs().count("opt_in.make_available") == 1


@pytest.mark.parametrize("state", ["spent", "expired", "withdrawn", "reserved"])
def test_no_other_state_is_made_available(fanpage, arrange, now, state):
    opt_in = arrange.opt_in(create(fanpage, now), arrange.customer(fanpage), fanpage_id=fanpage, state=state)
    with pytest.raises(WrongState):
        actions.make_available_again(COMMAND_LINE, opt_in, now=now)
    assert row(OptIn, opt_in).state == state


def test_a_refused_opt_in_over_a_year_old_stays_refused(fanpage, arrange, now):
    opt_in = arrange.opt_in(
        create(fanpage, now), arrange.customer(fanpage), fanpage_id=fanpage, state="refused"
    )
    with pytest.raises(WrongState, match="year"):
        actions.make_available_again(COMMAND_LINE, opt_in, now=now + timedelta(days=400))


def test_a_customer_who_withdraws_is_never_notified_again(fanpage, arrange, now):
    topic_id, lan = create(fanpage, now), arrange.customer(fanpage)
    states = ["available", "reserved", "refused", "spent", "expired"]
    ids = [arrange.opt_in(topic_id, lan, fanpage_id=fanpage, state=state) for state in states]
    other = arrange.opt_in(topic_id, arrange.customer(fanpage, "Mai"), fanpage_id=fanpage)
    assert withdraw_customer(EDITOR, lan, now=now) == 3
    assert withdraw_customer(EDITOR, lan, now=now) == 0
    assert [row(OptIn, id_).state for id_ in ids] == ["withdrawn"] * 3 + ["spent", "expired"]
    assert row(OptIn, other).state == "available"
    assert verbs() == ["topic.create", "customer.withdraw"]
