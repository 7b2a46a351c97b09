"""Sends a short text to whoever is to be told outside the panel, by the address in OTN_ALERT_URL."""

from __future__ import annotations

import logging

import structlog

from core.settings import settings

log = structlog.get_logger(__name__)


def is_set_up() -> bool:
    """Whether there is anybody to tell."""
    return bool(settings().alert_url.get_secret_value())


def send_alert(title: str, text: str) -> bool:
    """Tell it, by e-mail, a webhook, Telegram or whatever else the address names; several addresses stand
    beside each other with commas. Returns whether all took it; what it says of an address is never logged,
    since passwords stand in them."""
    from apprise import Apprise  # takes a second to import, and most installations never need it

    logging.getLogger("apprise").setLevel(logging.CRITICAL + 1)
    told = Apprise()
    if not told.add(settings().alert_url.get_secret_value()):
        log.error("alert_address_not_understood")
        return False
    took = bool(told.notify(body=text, title=title))
    if not took:
        log.warning("alert_not_taken")
    return took
