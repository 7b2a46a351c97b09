"""How fast a fanpage may send: the default, and what the platform allows (pure)."""

from __future__ import annotations

from core.errors import N_, Problem, problem

DEFAULT_RATE = 25  # messages per second
# https://developers.facebook.com/documentation/business-messaging/messenger-platform/overview/rate-limiting
CALM_RATE = 40  # sustained above it, the platform stops the fanpage
HARD_RATE = 300  # calls per second and fanpage for texts and links


def check_rate(rate: int, *, i_know: bool) -> list[Problem]:
    """What is wrong with a rate. `i_know` allows one above `CALM_RATE`."""
    if not 1 <= rate <= HARD_RATE:
        text = N_("Choose between 1 and {most} messages per second.")
        return [problem("rate", text, most=HARD_RATE)]
    if rate > CALM_RATE and not i_know:
        text = N_(
            "Above {calm} messages per second Facebook may stop the fanpage. Choose a lower rate, "
            "or confirm that you know."
        )
        return [problem("rate", text, calm=CALM_RATE)]
    return []
