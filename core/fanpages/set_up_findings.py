"""What may be wrong with the set-up of a fanpage beside what a health check finds, each in words (pure)."""

from __future__ import annotations

from enum import StrEnum

from core.errors import N_
from core.fanpages.rules import OTN_UNCONFIRMED, PROBLEMS, RED, describe_problem


class Finding(StrEnum):
    """The codes; `FINDINGS` says each in words."""

    NO_VERIFY_TOKEN = "no_verify_token"
    SECRET_UNPROVED = "secret_unproved"
    NO_PUBLIC_URL = "no_public_url"
    WEBHOOK_UNREACHABLE = "webhook_unreachable"
    WEBHOOK_FOREIGN = "webhook_foreign"
    OTN_UNCONFIRMED = OTN_UNCONFIRMED
    NO_PRIVACY_ADDRESS = "no_privacy_address"
    PRIVACY_UNREACHABLE = "privacy_unreachable"
    NO_DELETION_ADDRESS = "no_deletion_address"
    DELETION_UNREACHABLE = "deletion_unreachable"
    LIVE_UNCONFIRMED = "live_unconfirmed"
    CLOCK_OFF = "clock_off"
    CLOCK_UNKNOWN = "clock_unknown"
    NO_WORKER = "no_worker"
    NO_WEBHOOK_SERVER = "no_webhook_server"
    OTHER_APP = "other_app"


FINDINGS: dict[str, str] = {
    Finding.NO_VERIFY_TOKEN: N_(
        "OTN_VERIFY_TOKEN is not set, so Facebook can't verify the webhook address. Make up a "
        "word, write it into the file .env and restart."
    ),
    Finding.SECRET_UNPROVED: N_(
        "The app secret is set; whether it is the right one shows when the first signed event "
        "arrives from Facebook."
    ),
    Finding.NO_PUBLIC_URL: N_(
        "OTN_PUBLIC_URL is not set, so we can't check whether Facebook reaches this server. Write "
        "your public HTTPS address into the file .env and restart."
    ),
    Finding.WEBHOOK_UNREACHABLE: N_(
        "The public address does not respond. Check that it leads to the webhook server of this "
        "machine, and that its certificate is valid."
    ),
    Finding.WEBHOOK_FOREIGN: N_(
        "The public address does not lead to this installation's webhook server, or that server "
        "uses another OTN_APP_SECRET: it can't tell a signed event from an unsigned one."
    ),
    Finding.OTN_UNCONFIRMED: N_(
        "Ask Facebook for one-time notifications in the fanpage's settings, then tick it here. The first tap "
        "of a customer proves it."
    ),
    Finding.NO_PRIVACY_ADDRESS: N_("Enter the address of your privacy policy; Meta asks for it."),
    Finding.PRIVACY_UNREACHABLE: N_(
        "The privacy policy does not open at this address; Meta's reviewers can't open it either."
    ),
    Finding.NO_DELETION_ADDRESS: N_(
        "Enter the address that explains how customers can have their data deleted; Meta asks for it."
    ),
    Finding.DELETION_UNREACHABLE: N_("The page about deleting data does not open at this address."),
    Finding.LIVE_UNCONFIRMED: N_(
        "While the app is in development mode, only people with a role in it can be reached. "
        "Switch it to Live, then tick it here, because Facebook doesn't tell us."
    ),
    Finding.CLOCK_OFF: N_(
        "The clock of the machine with the database is off by more than 30 seconds; turn on time "
        "synchronisation there. While it is off by more than ten minutes, no opt-in ends and nothing old "
        "is deleted."
    ),
    Finding.CLOCK_UNKNOWN: N_("Facebook could not be reached, so the clock was not compared with theirs."),
    Finding.NO_WORKER: N_(
        "The worker is not running, so nothing is sent. Start it with `make run` or `python -m core worker`."
    ),
    Finding.NO_WEBHOOK_SERVER: N_(
        "The webhook server is not running, so customers' taps and messages don't arrive. Start it "
        "with `make run`."
    ),
    Finding.OTHER_APP: N_(
        "Another app controls conversations with customers of this fanpage. Make this app the "
        "default app for conversation routing in the fanpage's settings, under Advanced Messaging."
    ),
}


def describe(code: str) -> str:
    """The sentence for a code of any part."""
    return FINDINGS.get(code) or describe_problem(code)


def may_accept(code: str) -> bool:
    """Whether somebody may say that they know and accept it. What is red can only be mended."""
    return code not in RED and (code in PROBLEMS or code in FINDINGS)
