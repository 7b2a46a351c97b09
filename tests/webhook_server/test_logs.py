"""Nobody can fill the disk with refusals."""

from __future__ import annotations

from webhook_server.logs import ThrottledLog


class Lines(list):
    def warning(self, event: str, **values: object) -> None:
        self.append((event, values))


def test_refusals_are_logged_when_they_begin_and_then_counted():
    lines = Lines()
    throttled = ThrottledLog(lines, every_seconds=3600)

    for _ in range(50):
        throttled.warn("webhook_refused", "bad_signature")
    throttled.warn("webhook_refused", "malformed")

    assert lines == [
        ("webhook_refused", {"reason": "bad_signature", "count": 1}),
        ("webhook_refused", {"reason": "malformed", "count": 1}),
    ]


def test_the_count_says_how_many_were_not_logged():
    lines = Lines()
    now = [0.0]
    throttled = ThrottledLog(lines, every_seconds=3600, clock=lambda: now[0])
    for _ in range(3):
        throttled.warn("webhook_refused", "malformed")

    now[0] = 3600.0
    throttled.warn("webhook_refused", "malformed")

    assert lines[-1] == ("webhook_refused", {"reason": "malformed", "count": 3})
