"""The records of the simulated Messenger: pages, people, messages, tokens. They are mutable and
do nothing."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Habit(StrEnum):
    """What a simulated person does without being told."""

    PASSIVE = "passive"  # does nothing unasked: what tests want
    TAPS_AT_ONCE = "taps_at_once"
    TAPS_LATER = "taps_later"
    NEVER_TAPS = "never_taps"  # reads, never taps
    IGNORES = "ignores"  # opens nothing
    BLOCKS = "blocks"  # blocks the page when a notification arrives


@dataclass
class Page:
    """A fanpage as the platform knows it."""

    page_id: str
    name: str
    token: str = field(repr=False)
    app_secret: str = field(default="", repr=False)
    verify_token: str = field(default="", repr=False)
    webhook_url: str = ""
    require_proof: bool = False
    otn: bool = True  # the page was granted one-time notification
    subscribed_fields: list[str] = field(default_factory=list)
    approved_fields: list[str] = field(default_factory=list)  # profile fields beyond name and picture
    scopes: list[str] = field(default_factory=lambda: ["pages_messaging", "pages_manage_metadata"])
    token_ends_at: int = 0  # seconds since 1970; 0: the access token has no end
    features: list[dict[str, str]] = field(default_factory=list)  # answers messaging_feature_review
    profile: dict[str, Any] = field(default_factory=dict)  # messenger_profile


@dataclass
class SimulatedPerson:
    """A person who knows a page."""

    psid: str
    page_id: str
    first_name: str
    last_name: str = ""
    locale: str = "vi_VN"
    timezone: float = 7
    habit: str = Habit.PASSIVE
    blocked: bool = False
    met: bool = False  # a thread exists, so no Get Started button is shown
    window_until: float = 0.0
    held_by: str | None = None  # the id of another app that controls the conversation; None: the page's own


@dataclass
class ThreadMessage:
    """A message in the thread of a person and a page."""

    number: int
    mid: str
    page_id: str
    psid: str
    by_page: bool
    at: float
    message: dict[str, Any]
    token: str | None = field(default=None, repr=False)  # the one-time token it was sent by
    taps: int = 0


@dataclass
class IssuedToken:
    """A one-time token that the platform has issued."""

    token: str = field(repr=False)
    page_id: str
    psid: str
    issued_at: float
    payload: str = ""
    title: str = ""
    used_at: float | None = None
    mid: str | None = None


@dataclass
class PostComment:
    """A comment on a post of a page, and the one message by which the page has answered it in private."""

    comment_id: str
    page_id: str
    psid: str
    at: float
    text: str
    mid: str | None = None


@dataclass(frozen=True)
class SendRecord:
    """One message that reached the platform, accepted or refused."""

    at: float
    page_id: str
    psid: str | None
    token: str | None = field(repr=False)
    mid: str | None  # None: refused
    code: int | None = None
    subcode: int | None = None


class GraphError(Exception):
    """An error answer of the Graph API."""

    def __init__(
        self,
        code: int,
        message: str,
        *,
        subcode: int | None = None,
        status: int = 400,
        kind: str = "OAuthException",
        transient: bool | None = None,
    ) -> None:
        super().__init__(message)
        self.code, self.message, self.subcode = code, message, subcode
        self.status, self.kind, self.transient = status, kind, transient


class NotPossible(Exception):
    """A person cannot do this on their phone, or the control call names nothing that exists."""
