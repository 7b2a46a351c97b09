"""The ways by which people outside the panel are told: e-mail, and whatever OTN_ALERT_URL names."""

from __future__ import annotations

import logging
import smtplib
import ssl
from collections.abc import Sequence
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from enum import StrEnum

import structlog

from core.errors import N_
from core.settings import settings

log = structlog.get_logger(__name__)

SMTP_SECONDS = 15.0
PROBLEM_LIMIT = 300


class Channel(StrEnum):
    """A way by which alerts leave."""

    EMAIL = "email"  # OTN_ALERT_EMAIL, by the server in OTN_SMTP_HOST
    URL = "url"  # OTN_ALERT_URL: a webhook, Telegram or what else Apprise knows


NAMES = {Channel.EMAIL: N_("Email"), Channel.URL: N_("Address in OTN_ALERT_URL")}


class NotTaken(Exception):
    """An alert was not taken; the text says why, and holds no secret."""


def channels() -> list[Channel]:
    """The channels that are set up."""
    found = {Channel.EMAIL: bool(receivers()), Channel.URL: bool(settings().alert_url.get_secret_value())}
    return [channel for channel in Channel if found[channel]]


def receivers() -> list[str]:
    """Who gets alerts by e-mail."""
    return [each.strip() for each in settings().alert_email.split(",") if each.strip()]


def send(channel: Channel, title: str, text: str) -> None:
    """Send an alert by this channel. Raises NotTaken when it is not taken."""
    (_send_mail if channel is Channel.EMAIL else _send_to_url)(" ".join(title.split()), text)


def _send_mail(title: str, text: str) -> None:
    chosen = settings()
    place = f"{chosen.smtp_host}:{chosen.smtp_port}"
    try:
        mail = _mail(title, text, receivers())
        with _connect() as server:
            if chosen.smtp_user:
                server.login(chosen.smtp_user, chosen.smtp_password.get_secret_value())
            refused = server.send_message(mail)
    except smtplib.SMTPRecipientsRefused:
        raise NotTaken(N_("the mail server accepts no mail to the addresses in OTN_ALERT_EMAIL")) from None
    except smtplib.SMTPResponseException as problem:
        said = problem.smtp_error
        words = said.decode(errors="replace") if isinstance(said, bytes) else str(said)
        raise NotTaken(_short(f"{problem.smtp_code} {words}")) from None
    except (OSError, smtplib.SMTPException) as problem:
        why = getattr(problem, "strerror", None) or str(problem) or type(problem).__name__
        raise NotTaken(_short(f"{place}: {why}")) from None
    except ValueError:  # its words may quote the password
        raise NotTaken(
            N_("the host, an address, the user or the password has signs that no mail can carry")
        ) from None
    if refused:  # the others have it, and would get it twice
        log.warning("alert_receivers_refused", count=len(refused))


def _connect() -> smtplib.SMTP:
    chosen = settings()
    place = chosen.smtp_host, chosen.smtp_port
    if chosen.smtp_security == "tls":
        return smtplib.SMTP_SSL(*place, timeout=SMTP_SECONDS, context=ssl.create_default_context())
    server = smtplib.SMTP(*place, timeout=SMTP_SECONDS)
    try:
        if chosen.smtp_security == "starttls":
            server.starttls(context=ssl.create_default_context())
    except BaseException:
        server.close()
        raise
    return server


def _mail(title: str, text: str, to: Sequence[str]) -> EmailMessage:
    chosen = settings()
    user = chosen.smtp_user if "@" in chosen.smtp_user else ""
    mail = EmailMessage()
    mail["Subject"] = f"[Notify Once] {title}"
    mail["From"] = chosen.smtp_from or user or to[0]
    mail["To"] = ", ".join(to)
    mail["Date"] = formatdate()
    mail["Message-ID"] = make_msgid(domain="notify-once.invalid")
    mail["Auto-Submitted"] = "auto-generated"  # RFC 3834: no absence notice comes back
    mail.set_content(text)
    return mail


def _send_to_url(title: str, text: str) -> None:
    # It takes a second to import, and most installations never need it.
    from apprise import Apprise, NotifyFormat

    # What it says of an address is never logged: passwords stand in them.
    logging.getLogger("apprise").setLevel(logging.CRITICAL + 1)
    told = Apprise()
    is_understood = told.add(settings().alert_url.get_secret_value())
    taken = []
    for address in told:
        alone = Apprise()
        alone.add(address)
        # Said to be plain text, it is escaped for those who read HTML: Telegram refuses a bare "<".
        taken.append(bool(alone.notify(body=text, title=title, body_format=NotifyFormat.TEXT)))
    if not taken:
        raise NotTaken(N_("the address is not understood"))
    if not any(taken):
        raise NotTaken(N_("no address took it"))
    if not is_understood or not all(taken):  # the others have it, and would get it twice
        log.warning("alert_addresses_refused", count=taken.count(False), all_understood=is_understood)


def _short(words: str) -> str:
    password = settings().smtp_password.get_secret_value()
    said = " ".join(words.split())
    return (said.replace(password, "[removed]") if password else said)[:PROBLEM_LIMIT]
