"""A stand-in for the Graph API that notes, by its own clock, when how many messages of which fanpage arrive.

A fanpage's access token tells its number. An item of a batch may carry a token of its own.
"""

from __future__ import annotations

import random
import re
import time
from collections import Counter, defaultdict

import requests

from core.bench import stub

LATENCY_SECONDS = (0.05, 0.3)
TOKEN = "pace-{}"
_NUMBER = re.compile(rb"pace-(\d+)")
_OF_CALL = re.compile(rb"(?:bearer |(?:^|[?&])access_token=)pace-(\d+)")

Arrived = list[tuple[float, int]]  # when, how many

_arrived: list[tuple[int, float, int]] = []  # fanpage, when, how many; in the receiver's process


class Receiver(stub.Stub):
    """Takes everything, and answers after 50 to 300 milliseconds."""

    def __init__(self) -> None:
        super().__init__(0.0)

    def answer_to(self, head: bytes, body: bytes) -> bytes:
        self.latency = 0.0
        if head.startswith(b"get /arrivals "):
            return stub.document(_arrived)
        self.latency = random.uniform(*LATENCY_SECONDS)
        if head.startswith(b"post"):
            now = time.monotonic()
            _arrived.extend((number, now, count) for number, count in messages_of(head, body).items())
        return super().answer_to(head, body)


def messages_of(head: bytes, body: bytes) -> Counter[int]:
    """How many of each fanpage are in a call. What names no token of its own goes by the call's."""
    of_call = _OF_CALL.search(head) or _OF_CALL.search(body)
    items = [each.partition(b"&")[0] for each in body.split(b"relative_url")[1:]] or [b""]
    named = (_NUMBER.search(item) or of_call for item in items)
    return Counter(int(each[1]) if each else 0 for each in named)


def arrivals(url: str) -> dict[int, Arrived]:
    """When how many messages of each fanpage arrived, in their order."""
    found: dict[int, Arrived] = defaultdict(list)
    for number, at, count in requests.get(f"{url}/arrivals", timeout=30).json():
        found[number].append((at, count))
    return found
