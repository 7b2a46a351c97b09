"""`bench answers`: how soon the bot's answer reaches Messenger after the webhook came in, while every fanpage
sends a broadcast; and whether each customer was answered once, in order.

One webhook server and one worker, a stand-in for Messenger that answers after a tenth of a second, and the
load share the machine's processors. Times are of the machine's monotonic clock.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from sqlalchemy import func
from sqlmodel import col, select

from core.bench import scale, stub
from core.bench.databases import fresh_database
from core.bench.ingest import free_port, until_it_listens
from core.bench.load_generator import PSID
from core.clock import utc_now
from core.db import migrations
from core.db.engine import reading, transaction
from core.db.tables import Block, Delivery, EntryPoint, Fanpage, Message
from core.messenger.signature import HEADER, sign
from core.settings import override_settings, settings

RATE = 40  # messages per second of each fanpage, answers and broadcast together
BLOCKS = ("Chào bạn, hoa mới đã về!", "Bạn muốn xem mẫu nào ạ?")
WORD = "hoa"
WARM_UP_SECONDS = 3.0
PATIENCE = 30.0
THREADS = 16
EVERY_NTH_TWICE = 10  # the platform repeats webhooks

Arrived = list[tuple[str, float, str]]  # psid, when, text; no text: "typing"
_arrived: Arrived = []  # in the stand-in's process


class AnswersReceiver(stub.Stub):
    """Takes everything, and notes what comes by PSID."""

    def __init__(self) -> None:
        super().__init__(0.1)

    def answer_to(self, head: bytes, body: bytes) -> bytes:
        if head.startswith(b"get /arrivals "):
            return stub.document(_arrived)
        if body.startswith(b"{"):
            call = json.loads(body)
            if psid := call.get("recipient", {}).get("id"):
                text = call.get("message", {}).get("text", "")
                _arrived.append((psid, time.monotonic(), text))
        return super().answer_to(head, body)


def run(
    *, events_per_second: int, fanpages: int, seconds: float, postgresql_url: str | None
) -> dict[str, Any]:
    """Send so many messages of new customers each second, spread over the fanpages."""
    with stub.serving_stub(AnswersReceiver) as url, fresh_database(postgresql_url):
        override_settings(graph_url=url, app_secret="app-secret-of-the-bench", webhook_port=str(free_port()))
        migrations.upgrade()
        people = int(RATE * (seconds + WARM_UP_SECONDS) * 1.5)
        for number in range(1, fanpages + 1):
            scale.launch_broadcast(number, people, rate=RATE, token=f"page-token-{number}")
        pages = _let_the_bot_answer()
        with tempfile.TemporaryFile() as log, scale.workers_running(1, log.fileno()):
            server = subprocess.Popen([sys.executable, "-m", "webhook_server"], stderr=subprocess.DEVNULL)
            try:
                until_it_listens(server)
                time.sleep(WARM_UP_SECONDS)
                sent = _send_all(pages, events_per_second, seconds)
                arrived = _wait_for_answers(url, len(sent))
                beside = _sent_by_broadcasts()
            finally:
                server.terminate()
                server.wait(PATIENCE)
    about = {"events_per_second": events_per_second, "fanpages": fanpages, "seconds": seconds}
    return {
        **about,
        "database": "PostgreSQL" if postgresql_url else "SQLite",
        **_figures(sent, arrived),
        "broadcast_messages_sent": beside,
    }


def _let_the_bot_answer() -> list[str]:
    """A message of two blocks for a keyword on every fanpage. Returns their page ids."""
    now = utc_now()
    with transaction() as db:
        fanpages = db.execute(select(Fanpage).order_by(col(Fanpage.id))).scalars().all()
        for fanpage in fanpages:
            message = Message(
                fanpage_id=fanpage.id or 0, name=WORD, published=1, created_at=now, updated_at=now
            )
            db.add(message)
            db.flush()
            word: dict[str, Any] = {"match": "contains", "value": WORD, "folded": WORD, "created_at": now}
            ids = {"fanpage_id": fanpage.id, "message_id": message.id}
            db.add(EntryPoint(kind="keyword", **ids, **word))
            for place, text in enumerate(BLOCKS):
                content = {"text": text, "fallback": ""}
                db.add(Block(message_id=message.id or 0, position=place, kind="text", content=content))
        return [fanpage.page_id for fanpage in fanpages]


def _send_all(pages: list[str], events_per_second: int, seconds: float) -> dict[str, float]:
    """Post the webhooks at an even pace. Returns when each customer's was posted first."""
    sent: dict[str, float] = {}
    url = f"http://127.0.0.1:{settings().webhook_port}/webhook"
    secret = settings().app_secret.get_secret_value()
    session = requests.Session()
    session.mount("http://", HTTPAdapter(pool_maxsize=THREADS))
    with ThreadPoolExecutor(THREADS) as pool:
        began = time.monotonic()
        for number in range(int(events_per_second * seconds)):
            time.sleep(max(0.0, began + number / events_per_second - time.monotonic()))
            psid = str(PSID * 2 + number)
            raw = _webhook(pages[number % len(pages)], psid)
            headers = {HEADER: sign(secret, raw), "Content-Type": "application/json"}
            sent[psid] = time.monotonic()
            for _ in range(2 if number % EVERY_NTH_TWICE == 0 else 1):
                pool.submit(session.post, url, data=raw, headers=headers, timeout=PATIENCE)
    return sent


def _webhook(page_id: str, psid: str) -> bytes:
    message = {"mid": f"m_{psid}", "text": f"cho mình hỏi {WORD}"}
    who = {"sender": {"id": psid}, "recipient": {"id": page_id}}
    event = {**who, "timestamp": int(time.time() * 1000), "message": message}
    return json.dumps(
        {"object": "page", "entry": [{"id": page_id, "time": 0, "messaging": [event]}]}
    ).encode()


def _wait_for_answers(url: str, customers: int) -> Arrived:
    until = time.monotonic() + PATIENCE
    while True:
        arrived: Arrived = [tuple(each) for each in requests.get(f"{url}/arrivals", timeout=30).json()]
        if sum(1 for each in arrived if each[2]) >= customers * len(BLOCKS) or time.monotonic() > until:
            return arrived
        time.sleep(0.5)


def _figures(sent: dict[str, float], arrived: Arrived) -> dict[str, Any]:
    texts: dict[str, list[str]] = defaultdict(list)
    first: dict[str, float] = {}
    for psid, at, text in arrived:
        if text:
            texts[psid].append(text)
            first.setdefault(psid, at)
    waited = sorted((first[psid] - at) * 1000 for psid, at in sent.items() if psid in first)
    whole = [psid for psid in sent if texts[psid] == list(BLOCKS)]
    return {
        "customers": len(sent),
        "answered_once_in_order": len(whole),
        "not_answered": len([psid for psid in sent if not texts[psid]]),
        "answered_twice": len([psid for psid in sent if len(texts[psid]) > len(BLOCKS)]),
        "shown_typing": len({psid for psid, _, text in arrived if not text}),
        "p50_ms": round(waited[len(waited) // 2]) if waited else None,
        "p95_ms": round(waited[int(len(waited) * 0.95)]) if waited else None,
        "p99_ms": round(waited[int(len(waited) * 0.99)]) if waited else None,
    }


def _sent_by_broadcasts() -> int:
    with reading() as db:
        return int(db.execute(select(func.count(col(Delivery.mid)))).scalar_one())
