"""How the simulated Messenger behaves. What Meta documents comes first; the rest is marked as assumed.

Sources: messenger-platform documentation as of 2026 (send API, one-time notification, webhooks, rate limits).
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any


@dataclass
class Behaviour:
    """The settings of the simulator, which the control API can change."""

    # Documented. A test may shorten them; the product must not need it.
    window_seconds: float = 24 * 3600.0
    token_life_seconds: float = 365 * 24 * 3600.0
    calls_per_second: int = 300  # Send API, texts, per page; 0 = no limit
    calls_per_person_and_day: int = 200  # business use case limit: 200 x engaged people in 24 h; 0 = no limit
    webhook_timeout_seconds: float = 5.0  # the guide says 5 s (the FAQ: 20 s)
    webhook_unsubscribe_after_seconds: float = 3600.0
    webhook_bundle: int = 1000  # events in one POST at most

    # Assumed: what an unusable one-time token answers (nothing is documented).
    token_error_code: int = 100
    token_error_subcode: int | None = None
    otn_not_granted_code: int = 10
    token_consumed_on_failure: bool = False
    recipient_id_with_token: bool = True
    reports_for_token_sends: bool = True  # echo, delivery and read webhooks
    token_length: int = 260  # format unknown: long enough to upset a 255 column
    other_app_refuses_tokens: bool = True  # documented for messages by PSID only
    second_tap_gives_token: bool = False
    tap_opens_window: bool = False  # documented only for Recurring Notifications: no
    # Assumed: limits that practice knows and the documents do not.
    button_title_limit: int = 20
    payload_limit: int = 1000
    batch_too_large_code: int = 100
    batch_needs_outer_token: bool = True  # a bad one fails items that carry good ones of their own, too
    calls_window_seconds: int = 10  # calls_per_second is an average over so long
    unapproved_profile_fields: str = "refused"  # or "omitted"
    auth_status: int = 400  # HTTP status of 190; 401 is seen, too
    # Assumed: how long things take.
    webhook_retry_seconds: list[float] = field(default_factory=lambda: [0.2, 1.0, 5.0, 15.0, 60.0])
    webhook_linger_seconds: float = 0.02  # events of so long travel together
    echo_seconds: float = 0.0
    delivery_seconds: float = 0.3
    read_seconds: float = 3.0
    tap_seconds: float = 2.0
    tap_later_seconds: float = 45.0
    jitter: float = 0.5  # share by which the times above vary

    def change(self, values: dict[str, Any]) -> None:
        """Change some settings. Raises ValueError for an unknown name or a value of another type."""
        known = {each.name: getattr(self, each.name) for each in fields(self)}
        for name, value in values.items():
            if name not in known:
                raise ValueError(f"no setting is called {name!r}")
            if not _fits(known[name], value):
                raise ValueError(f"{name} cannot be {value!r}")
        for name, value in values.items():
            setattr(self, name, value)


def _fits(old: object, new: object) -> bool:
    if isinstance(old, bool) or isinstance(new, bool):
        return isinstance(old, bool) and isinstance(new, bool)
    if old is None or isinstance(old, int | float):
        return new is None or isinstance(new, int | float)
    return isinstance(new, type(old))
