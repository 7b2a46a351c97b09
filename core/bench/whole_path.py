"""Our own side of `bench send`, each in a process of its own: with the ledger, and the client alone.

Prints one JSON object: seconds, messages, CPU seconds and peak memory of the sending alone.
"""

from __future__ import annotations

import gc
import json
import math
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from core.bench import databases
from core.bench.measure import measure_work
from core.deliveries.rules import DeliveryState

THREADS = 40
SWITCH_SECONDS = 0.0005  # as the worker has it
BATCH = 50
UNPACED = 1_000_000  # messages a second: full batches, as fast as they come back
TEXT = "Chào {{first_name|bạn}}, hàng mới đã về, mời bạn ghé xem!"


def main() -> None:
    """Arguments: ledger, client or mixed, the stub's URL, messages. A line on standard input names a
    PostgreSQL server; an argument would show its password to whoever lists processes."""
    kind, url, messages = sys.argv[1], sys.argv[2], int(sys.argv[3])
    sys.setswitchinterval(SWITCH_SECONDS)
    with databases.fresh_database(sys.stdin.readline().strip() or None):
        make = {"ledger": _whole_path, "client": _client_alone, "mixed": _client_across_fanpages}[kind]
        send = make(url, messages)
        sys.stdout.write(json.dumps(measure_work(send, messages)) + "\n")


def _client_alone(url: str, messages: int) -> Callable[[], None]:
    from core.bench.broadcast_fixtures import NAMES
    from core.messenger import wire
    from core.messenger.batch import SharedMessage, TokenSend
    from core.messenger.client import Messenger

    messenger = Messenger("1", "page-token", base_url=url, version="v26.0", pool_size=THREADS)

    ready = [SharedMessage(wire.text(f"Chào {name}, hàng mới đã về, mời bạn ghé xem!")) for name in NAMES]

    def batch(start: int) -> None:
        numbers = range(start, min(start + BATCH, messages))
        messenger.send_batch(
            [TokenSend(f"token-{n:040}", ready[n % len(ready)], f"otn.delivery.{n}") for n in numbers]
        )

    def send() -> None:
        with ThreadPoolExecutor(THREADS) as pool:
            list(pool.map(batch, range(0, messages, BATCH)))

    return send


def _client_across_fanpages(url: str, messages: int) -> Callable[[], None]:
    """As many fanpages as a call holds messages, each with one in every call."""
    from core.bench.broadcast_fixtures import NAMES
    from core.messenger import wire
    from core.messenger.batch import SharedMessage, TokenSend
    from core.messenger.client import Messenger
    from core.messenger.mixed_call_switch import MixedCallSwitch
    from core.messenger.mixed_calls import AddressedSend, send_together
    from core.messenger.transport import Transport

    transport = Transport(url, connect_timeout=3.05, read_timeout=20.0, pool_size=THREADS)
    known: dict[str, Any] = {"base_url": url, "version": "v26.0", "transport": transport}
    lines = [
        Messenger(str(n), f"page-token-{n:0200}", app_secret="app-secret", **known) for n in range(BATCH)
    ]
    ready = [SharedMessage(wire.text(f"Chào {name}, hàng mới đã về, mời bạn ghé xem!")) for name in NAMES]
    mixed_calls = MixedCallSwitch()

    def batch(start: int) -> None:
        numbers = range(start, min(start + BATCH, messages))
        sends = [TokenSend(f"token-{n:040}", ready[n % len(ready)], f"otn.delivery.{n}") for n in numbers]
        send_together([AddressedSend(*each) for each in zip(lines, sends, strict=False)], mixed_calls)

    def send() -> None:
        with ThreadPoolExecutor(THREADS) as pool:
            list(pool.map(batch, range(0, messages, BATCH)))

    return send


def _whole_path(url: str, messages: int) -> Callable[[], None]:
    """Claim → HTTP → settle over a durable ledger, with as many opt-ins as messages."""
    from core.bench.broadcast_fixtures import create_launched_broadcast
    from core.broadcasts.queries import get_broadcast
    from core.clock import utc_now
    from core.db.work_queue import SHARDS
    from core.messenger.client import Messenger
    from core.sending.loop import SOON_SECONDS, SendingLoop

    _, broadcast_id = create_launched_broadcast(messages, TEXT, rate=UNPACED)
    messenger = Messenger("1", "page-token", base_url=url, version="v26.0", pool_size=THREADS)

    gc.collect()
    gc.freeze()  # as the worker does

    def send() -> None:
        with ThreadPoolExecutor(THREADS) as pool:
            loop = SendingLoop(
                worker="bench",
                find_connections=lambda ids: dict.fromkeys(ids, messenger),
                call_threads=pool,
                stop=threading.Event(),
                clock=utc_now,
            )
            for shard in range(SHARDS):
                loop.take(shard, math.inf)
            while loop.calls or loop.unsettled or get_broadcast(broadcast_id).counts[DeliveryState.QUEUED]:
                time.sleep(min(loop.turn(), SOON_SECONDS))
                loop.unsettled.settle()
        sent = get_broadcast(broadcast_id).counts[DeliveryState.SENT]
        if sent != messages:
            raise SystemExit(f"{sent} of {messages} were sent")

    return send


if __name__ == "__main__":
    main()
