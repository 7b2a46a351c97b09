"""`bench panel`: each page's time from the click until it is ready, in a real browser over a large shop."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from core.accounts.actions import add_operator
from core.accounts.rules import COMMAND_LINE
from core.bench import panel_browser
from core.bench.databases import fresh_database
from core.bench.panel_browser import Click
from core.bench.panel_fixtures import TOPICS, Shop, Size, create_shop
from core.broadcasts import actions, audience_builder, result_counting, scheduled_jobs, topic_counting
from core.clock import utc_now
from core.consent import counting as opt_in_counting
from core.conversation.actions import save_message
from core.conversation.drafts import BlockDraft
from core.db import migrations
from core.funnel import counting as funnel_counting
from core.installation.key_check import refuse_another_key

NAME, PASSWORD = "bench", "correct-horse-battery"
PLAIN = ("messages", "entry_points", "calendar", "planner", "setup", "testers", "operators", "roles")


def run(size: Size, *, clicks: int, viewers: int, postgresql_url: str | None) -> dict[str, Any]:
    """Fill a database and click through every page of the panel so many times."""
    panel_browser.need_browser()
    with fresh_database(postgresql_url):
        migrations.upgrade()
        walk, sending, took = fill(size)
        who = {"name": NAME, "password": PASSWORD}
        results = panel_browser.time_clicks(walk, clicks, **who)
        watched = panel_browser.measure_viewers(f"/broadcast?id={sending}", viewers, **who)
        return {"people": size.people, "results": results, **watched, **took}


def fill(size: Size) -> tuple[list[Click], int, dict[str, float]]:
    """Fill the database. Returns the walk through the panel, the id of a broadcast that is sending, and the
    seconds that each of the worker's counts took."""
    refuse_another_key()  # as the first process of an installation does
    shop, now = create_shop(size), utc_now()
    add_operator(COMMAND_LINE, NAME, "admin", PASSWORD, now=now)
    blocks = [BlockDraft("text", {"text": "Chào bạn!"})]
    save_message(COMMAND_LINE, shop.fanpage_id, name="Chào", blocks=blocks, entry_points=[], now=now)
    sending, draft = _broadcast(shop.topic_ids[1]), _broadcast(shop.topic_ids[0], launch=False)
    return _walk(shop, sending, draft), sending, _count()


def _count() -> dict[str, float]:
    """Let the worker's jobs count what the pages show; how many seconds each takes."""
    jobs: dict[str, Callable[[], object]] = {
        "count_results": lambda: [result_counting.count_results(now=utc_now()) for _ in range(50)],
        "count_opt_ins": lambda: opt_in_counting.count_opt_ins(now=utc_now()),
        "count_topics": lambda: [topic_counting.count_topics(now=utc_now()) for _ in range(TOPICS)],
        "count_funnels": lambda: funnel_counting.count_funnels(now=utc_now()),
    }
    took = {}
    for name, job in jobs.items():
        began = time.monotonic()
        job()
        took[f"{name}_seconds"] = round(time.monotonic() - began, 2)
    return took


def _walk(shop: Shop, sending: int, draft: int) -> list[Click]:
    """From the first page of the menu to the last, and what lies behind them."""
    topic_id, ended = shop.topic_ids[0], shop.broadcast_ids[-1]
    return [
        _menu("overview"),
        _menu("topics"),
        _row("topic", f"topics?id={topic_id}"),
        Click("opt-ins of a topic", f'[data-testid=stMain] a[href*="opt_ins?topic={topic_id}"]'),
        _menu("topics"),
        _row("topic", f"topics?id={topic_id}"),
        Click("wizard of a topic", ".st-key-topic_notify button"),
        *map(_menu, PLAIN),
        _menu("activity"),
        _menu("health"),
        _menu("broadcasts"),
        _row("broadcast, finished", f"broadcast?id={ended}"),
        _menu("broadcasts"),
        _row("broadcast, sending", f"broadcast?id={sending}"),
        _menu("broadcasts"),
        _row("wizard, what", f"broadcast?id={draft}"),
        *(Click(f"wizard, {step}", f".st-key-step_{step} button") for step in ("who", "when", "check")),
        _menu("customers"),
        Click("customers, one", ".otn-table a >> nth=3"),
        _menu("customers"),
        Click("customers who can be notified", ".st-key-only_pill button >> nth=0"),
        Click("", ".st-key-only_pill button >> nth=0"),
        _menu("opt_ins"),
        Click("opt-ins that end soon", ".st-key-state_pill button >> nth=0"),
        Click("", ".st-key-state_pill button >> nth=0"),
    ]


def _menu(path: str) -> Click:
    return Click(path, f'[data-testid=stSidebar] a[href="{path}"]')


def _row(name: str, address: str) -> Click:
    return Click(name, f'.otn-table a[href="{address}"]')


def _broadcast(topic_id: int, *, launch: bool = True) -> int:
    now = utc_now()
    content = {"kind": "text", "text": "Hàng mới đã về!"}
    broadcast_id = actions.create_broadcast(COMMAND_LINE, topic_id=topic_id, content=content, now=now)
    if launch:
        actions.launch(COMMAND_LINE, broadcast_id, now=now)
        scheduled_jobs.start_due(now=now)
        audience_builder.build_audiences(utc_now)
    return broadcast_id
