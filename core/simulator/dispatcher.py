"""Delivers webhook events, with a queue for each page (webhook_queue.py)."""

from __future__ import annotations

import threading
from dataclasses import asdict

from core.simulator.webhook_queue import DispatchReport, OutgoingEvent, PageQueue, Surroundings


class WebhookDispatcher:
    """Delivers webhook events, with a queue for each page."""

    def __init__(self, world: Surroundings) -> None:
        self._world = world
        self._queues: dict[str, PageQueue] = {}
        self._running = False
        self._lock = threading.Lock()

    def start(self) -> None:
        with self._lock:
            self._running = True
            for queue in self._queues.values():
                queue.start()

    def stop(self) -> None:
        with self._lock:
            self._running = False
        for queue in self._queues.values():
            queue.stop()

    def wake(self) -> None:
        for queue in list(self._queues.values()):
            with queue.changed:
                queue.changed.notify_all()

    def post(self, event: OutgoingEvent, *, fresh: bool = True) -> None:
        if fresh:
            if self._world.faults.hit(event.page_id, {"webhook_lost": ""}):
                return
            if late := self._world.faults.hit(event.page_id, {"webhook_late": ""}):
                event.due += float(late.value or 1)
            self._world.store.put("event", event.key, asdict(event))
        self.queue_of(event.page_id).add(event)

    def report(self, page_id: str) -> DispatchReport:
        queue = self.queue_of(page_id)
        queue.report.waiting = len(queue.events)
        return queue.report

    def wait_until_delivered(self, page_id: str, timeout: float) -> bool:
        """Wait until no event of a page is waiting, at most so many seconds. Whether that is so."""
        queue = self.queue_of(page_id)
        with queue.changed:
            return queue.changed.wait_for(lambda: not queue.events, timeout)

    def queue_of(self, page_id: str) -> PageQueue:
        """The queue of a page, made when it is first needed."""
        with self._lock:
            if page_id not in self._queues:
                self._queues[page_id] = PageQueue(self._world, page_id)
                if self._running:
                    self._queues[page_id].start()
            return self._queues[page_id]
