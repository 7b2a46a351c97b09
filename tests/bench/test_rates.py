"""What the benches judge rates by: whose message a call carries, and how many lie in a window."""

from __future__ import annotations

from core.bench.kept_rate import KeptRate
from core.bench.receiver import messages_of
from core.bench.time_windows import fewest_and_most
from core.messenger.percent_encoding import percent_encode

EVEN = [(place / 2, 1) for place in range(200)]  # two a second


def test_an_item_goes_by_its_own_token_and_else_by_that_of_its_call() -> None:
    items = [{"own": "&access_token=pace-3"}, {"own": "&access_token=pace-4"}, {"own": ""}, {"own": ""}]
    batch = ", ".join(f'{{"relative_url": "me/messages", "body": "a=b{each["own"]}"}}' for each in items)
    form = f"batch={percent_encode(batch)}&access_token=pace-7".encode()
    assert messages_of(b"post / http/1.1", form) == {3: 1, 4: 1, 7: 2}


def test_a_plain_send_goes_by_the_token_of_its_call() -> None:
    head = b"post /v26.0/me/messages http/1.1\r\nauthorization: bearer pace-9"
    assert messages_of(head, b'{"recipient": {"id": "1"}}') == {9: 1}


def test_a_window_may_begin_anywhere() -> None:
    assert fewest_and_most(EVEN, 10.0, began=0.0, ended=99.0) == (19, 20)
    assert fewest_and_most(EVEN[:90], 10.0, began=0.0, ended=99.0) == (0, 20)
    assert fewest_and_most(EVEN[30:], 10.0, began=0.0, ended=99.0) == (0, 20)
    assert fewest_and_most([], 10.0, began=0.0, ended=99.0) == (0, 0)


def test_a_rate_is_kept_within_a_message_or_two_percent() -> None:
    kept = KeptRate(1, 2, EVEN, 0.0, 99.0)
    assert (kept.keeps_10_s, kept.keeps_60_s) == (True, True)
    one_missing = EVEN[:50] + EVEN[51:]  # of the window just after another that are two
    assert not KeptRate(1, 2, one_missing, 0.0, 99.0).keeps_10_s
    assert KeptRate(1, 2, EVEN, 0.0, 59.0).keeps_60_s is None
    assert not KeptRate(1, 3, EVEN, 0.0, 99.0).keeps_60_s


def test_a_fanpage_that_sends_nothing_keeps_no_rate() -> None:
    silent = KeptRate(1, 2, [], 0.0, 99.0)
    assert (silent.messages_per_second, silent.keeps_10_s) == (0.0, False)
