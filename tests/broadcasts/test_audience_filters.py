"""A filter of the audience reaches every way to count, list, start and retry, and leaves out by a reason."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import update
from sqlmodel import col

from core.accounts.rules import COMMAND_LINE
from core.broadcasts import actions, filter_queries, retry, retry_queries
from core.broadcasts.drafts import get_draft, keep_draft
from core.broadcasts.dry_run_queries import dry_run, list_audience, list_promises
from core.consent.audience_filters import EVERYBODY, IMPORTED, AudienceFilters, filters_of
from core.customers.tag_actions import add_tag
from core.customers.tags import list_tags
from core.db.engine import transaction
from core.db.tables import Customer, OptIn, Request
from core.errors import Invalid
from tests.broadcasts.audiences import recipients
from tests.sending.conftest import Studio


@pytest.fixture
def two(studio: Studio) -> tuple[int, int]:
    """Two who agreed: the first is the one that each filter below chooses."""
    made = []
    for number in range(2):
        customer_id = studio.arrange.customer(studio.fanpage_id, f"Khách {number}")
        studio.arrange.opt_in(
            studio.topic_id, customer_id, fanpage_id=studio.fanpage_id, token=f"token-{number}"
        )
        made.append(customer_id)
    return made[0], made[1]


def change(customer_id: int, **values: object) -> None:
    with transaction() as db:
        db.execute(update(Customer).where(col(Customer.id) == customer_id).values(**values))


def change_opt_in(customer_id: int, **values: object) -> None:
    with transaction() as db:
        db.execute(update(OptIn).where(col(OptIn.customer_id) == customer_id).values(**values))


def agreed(studio: Studio, who: int, other: int) -> AudienceFilters:
    change_opt_in(who, consented_at=studio.now - timedelta(days=3))
    change_opt_in(other, consented_at=studio.now - timedelta(days=30))
    return AudienceFilters(agreed_from=studio.now - timedelta(days=5), agreed_before=studio.now)


def entry(studio: Studio, who: int, _other: int) -> AudienceFilters:
    request = Request(
        fanpage_id=studio.fanpage_id,
        customer_id=who,
        topic_id=studio.topic_id,
        entry_kind="keyword",
        entry_value="sale",
        title="x",
        payload="p",
        created_at=studio.now,
    )
    change_opt_in(who, request_id=studio.arrange.save(request))
    return AudienceFilters(entries=(("keyword", "sale"),))


def imported(_studio: Studio, who: int, other: int) -> AudienceFilters:
    change_opt_in(who, source="import")
    change_opt_in(other, source="webhook")
    return AudienceFilters(entries=(IMPORTED,))


def wording(_studio: Studio, who: int, _other: int) -> AudienceFilters:
    change_opt_in(who, promise="Báo tôi khi có hoa Tết")
    return AudienceFilters(wordings=("Báo tôi khi có hoa Tết",))


def wrote(studio: Studio, who: int, other: int) -> AudienceFilters:
    change(who, window_closes_at=studio.now - timedelta(days=2))
    change(other, window_closes_at=studio.now - timedelta(days=9))
    return AudienceFilters(wrote_days=7)


def language(_studio: Studio, who: int, other: int) -> AudienceFilters:
    change(who, locale="vi_VN")
    change(other, locale="en_US")
    return AudienceFilters(languages=("vi",))


def unknown_language(_studio: Studio, _who: int, other: int) -> AudienceFilters:
    change(other, locale="en_US")
    return AudienceFilters(languages=("",))


def tag(studio: Studio, who: int, _other: int) -> AudienceFilters:
    add_tag(COMMAND_LINE, who, "VIP", now=studio.now)
    (vip,) = list_tags(studio.fanpage_id)
    return AudienceFilters(tags=(vip.id,))


def quiet(studio: Studio, _who: int, other: int) -> AudienceFilters:
    """The other one has just got a broadcast on another topic."""
    topic_id = studio.arrange.topic(studio.fanpage_id, "Chủ đề khác")
    studio.arrange.opt_in(topic_id, other, fanpage_id=studio.fanpage_id, token="of-another-topic")
    broadcast_id = actions.create_broadcast(
        COMMAND_LINE, topic_id=topic_id, content={"kind": "text", "text": "x"}, now=studio.now
    )
    studio.launch(broadcast_id)
    studio.send_all(rounds=1)
    return AudienceFilters(quiet_days=3)


FILTERS = [agreed, entry, imported, wording, wrote, language, unknown_language, tag, quiet]


@pytest.mark.parametrize("arranged", FILTERS, ids=lambda each: each.__name__)
def test_a_filter_reaches_count_list_start_and_retry(studio: Studio, two, arranged) -> None:
    who, other = two
    filters, now, topic_id = arranged(studio, who, other), studio.now, studio.topic_id
    assert filters_of(filters.as_json()) == filters
    run = dry_run(topic_id, filters, now=now)
    assert (run.audience, run.eligible, sum(run.left_out.values())) == (2, 1, 1)
    ((reason, _),) = run.left_out.items()
    assert [p.customer_id for p in list_audience(topic_id, reason, filters, now=now)] == [other]
    assert [p.customer_id for p in list_audience(topic_id, "eligible", filters, now=now)] == [who]
    assert sum(each.people for each in list_promises(topic_id, filters, now=now)) == 1

    broadcast_id = studio.broadcast()
    began = get_draft(broadcast_id)
    keep_draft(COMMAND_LINE, replace(began, filters=filters), began=began, now=now)
    assert get_draft(broadcast_id).version == began.version + 1
    studio.launch(broadcast_id)
    assert recipients(broadcast_id) == [who]


def test_a_retry_leaves_out_who_does_not_fit_the_filters_any_more(studio: Studio, two) -> None:
    filters = wrote(studio, *two)
    broadcast_id = studio.broadcast()
    began = get_draft(broadcast_id)
    keep_draft(COMMAND_LINE, replace(began, filters=filters), began=began, now=studio.now)
    studio.launch(broadcast_id)
    actions.cancel(COMMAND_LINE, broadcast_id, now=studio.now)
    assert retry_queries.retry_chances(broadcast_id, now=studio.now).rest == 1
    change(two[0], window_closes_at=studio.now - timedelta(days=20))
    assert retry_queries.retry_chances(broadcast_id, now=studio.now).rest == 0
    assert retry.send_to_rest(COMMAND_LINE, broadcast_id, now=studio.now) == 0


def test_a_copy_keeps_the_filters(studio: Studio, two) -> None:
    filters = AudienceFilters(wrote_days=7)
    made = actions.create_broadcast(
        COMMAND_LINE, topic_id=studio.topic_id, filters=filters, saves_opt_ins=True, now=studio.now
    )
    copied = get_draft(actions.copy_broadcast(COMMAND_LINE, made, now=studio.now))
    assert (copied.filters, copied.saves_opt_ins) == (filters, True)


@pytest.mark.parametrize("filters", [AudienceFilters(wrote_days=400), AudienceFilters(quiet_days=-1)])
def test_filters_that_make_no_sense_are_refused(studio: Studio, filters: AudienceFilters) -> None:
    with pytest.raises(Invalid):
        actions.create_broadcast(COMMAND_LINE, topic_id=studio.topic_id, filters=filters, now=studio.now)


def test_an_opt_in_that_has_ended_is_named_as_ended(studio: Studio, two) -> None:
    """Not as one that nobody chose: without the filter they would get nothing, either."""
    filters = wording(studio, *two)
    change_opt_in(two[1], expires_at=studio.now - timedelta(minutes=1))
    assert dry_run(studio.topic_id, filters, now=studio.now).left_out == {"expired": 1}


def test_what_can_be_chosen_comes_with_its_people(studio: Studio, two) -> None:
    entry(studio, *two)
    language(studio, *two)
    tag(studio, *two)
    choices = filter_queries.list_choices(studio.topic_id)
    assert choices.entries == {("keyword", "sale"): 1}
    assert choices.languages == {"vi": 1, "en": 1}
    assert list(choices.tags.values()) == ["VIP"]
    assert sum(choices.wordings.values()) == 2


def test_the_second_of_two_broadcasts_finds_only_who_is_left(studio: Studio, two) -> None:
    count = filter_queries.count_left_after
    assert count(studio.topic_id, EVERYBODY, EVERYBODY, now=studio.now) == 0
    studio.arrange.opt_in(studio.topic_id, two[0], fanpage_id=studio.fanpage_id, token="another")
    assert count(studio.topic_id, EVERYBODY, EVERYBODY, now=studio.now) == 1
    some = wording(studio, *two)
    assert count(studio.topic_id, some, EVERYBODY, now=studio.now) == 2
