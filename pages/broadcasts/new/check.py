"""Step 4, check: everything in one view, and the button that cannot be taken back."""

from __future__ import annotations

from datetime import datetime, timedelta

import streamlit as st

from core.broadcasts.dashboard_queries import list_clashes
from core.broadcasts.draft_warnings import warn_content
from core.broadcasts.drafts import Draft, find_problems
from core.broadcasts.dry_run_queries import DryRun
from core.broadcasts.topic_reach import TopicReach, get_reach
from core.clock import utc_now
from core.fanpages.queries import FanpageView
from pages.broadcasts.filter_words import filter_words
from pages.broadcasts.new import saving
from pages.broadcasts.new.allowance import draw_allowance
from pages.broadcasts.new.approval import draw_changes, say_quiet_time
from pages.broadcasts.new.clashes import say_what_is_left
from pages.broadcasts.new.launch import draw_launch
from pages.broadcasts.new.links_note import draw_links_note
from pages.broadcasts.new.promises import draw_promises_and_tick
from pages.broadcasts.new.reach import used_words
from pages.broadcasts.new.steps import go_to
from pages.broadcasts.new.what import draw_message
from pages.components.block_editor.blocks import kind_in_broadcast
from pages.components.block_editor.fields import draw_problems, draw_warnings
from pages.components.broadcast_words import size_word
from pages.components.counted_at import draw_counted
from pages.components.layout import Card, cards
from pages.components.session import Current
from pages.components.texts import _, duration, n_, number, when


def draw(here: Current, draft: Draft, topic: str, fanpage: FanpageView) -> None:
    """The numbers, the choices made so far, what to look at twice, and the launch, beside the phone."""
    now, draft = utc_now(), saving.save(here, draft)
    if saving.is_left():
        return
    reach = get_reach(draft.topic_id, draft.filters, now=now, due_at=draft.due_at)
    run = reach.run
    _numbers(draft, reach, now, fanpage.timezone)
    left, right = st.columns([1.55, 1], gap="large")
    with left:
        _rows(draft, topic, run, now, fanpage.timezone)
        draw_links_note(draft, fanpage)
        draw_allowance(fanpage.id, run.eligible, now=draft.due_at or now)
        slot = st.container()
        ticked = draw_promises_and_tick(draft, reach.promises)
        with slot:
            _second_looks(draft, run, [promise.title for promise in reach.promises], now)
            say_quiet_time(draft, fanpage, now)
        draw_changes(draft)
        draw_launch(here, draft, run, fanpage, ticked=ticked)
    with right:
        draw_message(draft, fanpage.name)


def _numbers(draft: Draft, reach: TopicReach, now: datetime, zone: str) -> None:
    run = reach.run
    done_at = (draft.due_at or now) + timedelta(seconds=run.seconds_at_rate)
    ends = _("Done at about {when}.", when=when(done_at, zone))
    rate = n_("At {n} message per second.", "At {n} messages per second.", run.rate)
    spends = run.spends(saves_opt_ins=draft.saves_opt_ins)
    held = max(reach.opt_ins, spends)
    used = _("{spends} of {held}", spends=number(spends), held=number(held))
    cards(
        [
            Card(_("Will get it"), number(run.eligible), _kept_words(draft, run)),
            Card(_("Opt-ins used"), used, _("Of all opt-ins for this topic. They can't be taken back.")),
            Card(_("Takes about"), duration(max(1.0, run.seconds_at_rate)), f"{rate} {ends}"),
        ]
    )
    draw_counted(reach.counted_at)


def _kept_words(draft: Draft, run: DryRun) -> str | None:
    return used_words(run, saves_opt_ins=True) if draft.saves_opt_ins else None


def _rows(draft: Draft, topic: str, run: DryRun, now: datetime, zone: str) -> None:
    left_out = run.audience - run.eligible
    who = n_("{n} is left out", "{n} are left out", left_out) if left_out else _("nobody is left out")
    best_before = draft.best_before_at(now)
    late = _("send until {when}", when=when(best_before, zone)) if best_before else _("no send-by time")
    first = "; " + size_word(draft.first_part).lower() if draft.first_part else ""
    start = when(draft.due_at, zone) if draft.due_at else _("As soon as you launch it")
    whom = _("Everybody who agreed to “{topic}”; {left_out}", topic=topic, left_out=who)
    if draft.filters:
        some = filter_words(draft.filters, zone)
        whom = _("Of those who agreed to “{topic}”: {some}; {left_out}", topic=topic, some=some, left_out=who)
    rows = [
        ("who", _("To whom"), whom),
        ("what", _("What to say"), f"{kind_in_broadcast(draft.content['kind'])} · {draft.name}"),
        ("when", _("When to send"), f"{start}; {late}{first}"),
    ]
    with st.container(key="check_rows", border=True, gap=None):
        for step, label, words in rows:
            with st.container(
                key=f"check_row_{step}", horizontal=True, vertical_alignment="center", wrap=False
            ):
                st.text(f"{label}: {words}", width="stretch")
                st.button(_("Change"), key=f"check_{step}", type="tertiary", on_click=go_to, args=(step,))


def _second_looks(draft: Draft, run: DryRun, promises: list[str], now: datetime) -> None:
    draw_problems(find_problems(draft, at=draft.due_at, now=now))
    draw_warnings(warn_content(draft.content, promises))
    others = list_clashes(draft.topic_id, except_id=draft.revises_id or draft.id)
    say_what_is_left(others, draft, draft.due_at or now)
    best_before, start = draft.best_before_at(now), draft.due_at or now
    time_left = (best_before - start).total_seconds() if best_before else None
    if time_left is not None and 0 < time_left < run.seconds_at_rate:
        reached = int(time_left * run.rate)
        st.warning(
            _(
                "At this rate only about {reached} of {people} will get it before the send-by "
                "time; the others keep their opt-in. Allow more time under “When to send”.",
                reached=number(reached),
                people=number(run.eligible),
            ),
            icon=":material/timer_off:",
        )
