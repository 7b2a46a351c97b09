"""What the rest of the product may ask of a kind of block, whichever it is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from core.conversation.blocks.bubble import Bubble
from core.conversation.blocks.message_file_block import FileBlock
from core.conversation.drafts import BlockDraft
from core.errors import Problem
from core.messenger.wire import Message

Content = Mapping[str, Any]  # a block's fields, as the database keeps them or as they are being typed


def text_in(content: Content, field: str) -> str:
    """A field as a text; empty when it is missing."""
    return str(content.get(field) or "")


class BlockKind(ABC):
    """A kind of block. A block becomes exactly one message of the Send API.

    Content may be half written wherever it is not said to be checked: every field may be missing.
    """

    name: ClassVar[str]  # in the database and in message files
    fits_broadcast: ClassVar[bool] = False  # whether a broadcast, which is one message, may be such a block
    is_assumed_by_token: ClassVar[bool] = False  # that a one-time token may carry it is documented nowhere
    blank: ClassVar[Content] = {}  # what the composer begins with, beside empty texts

    @abstractmethod
    def clean(self, content: Content) -> dict[str, Any]:
        """The content as it is kept: the fields of this kind only, each in its normal form."""

    @abstractmethod
    def check(self, block: BlockDraft) -> list[Problem]:
        """What forbids saving or sending the block. A problem's field is a path like "buttons.0.title"."""

    def warn(self, content: Content) -> list[Problem]:  # noqa: ARG002
        """What deserves a second look and forbids nothing."""
        return []

    def warn_when_followed(self) -> list[Problem]:
        """What deserves a second look in a block after which another one comes."""
        return []

    def words(self, content: Content) -> str:
        """What the customer reads of it, for those who judge the wording of a broadcast."""
        return str(content.get("text") or "")

    def message_ids(self, content: Content) -> set[int]:  # noqa: ARG002
        """The messages that the block's buttons or quick replies lead to."""
        return set()

    def topic_ids(self, content: Content) -> set[int]:  # noqa: ARG002
        """The topics that the block's buttons name: to stop notifications, or to ask for them."""
        return set()

    def asked_topics(self, content: Content) -> set[int]:  # noqa: ARG002
        """The topics that the block's buttons ask about once more."""
        return set()

    def pictures(self, content: Content) -> set[str]:  # noqa: ARG002
        """The names of the uploaded pictures that the block shows."""
        return set()

    @abstractmethod
    def render(self, content: Content) -> Message:
        """The block as the `message` of the Send API, with the first-name placeholders still in it."""

    @abstractmethod
    def draw(self, message: Message) -> list[Bubble]:
        """How the phone shows a message of the Send API; empty when it is not a message of this kind."""

    def read(self, given: FileBlock) -> BlockDraft:
        """The block that a message file describes. Only shapes are checked here; `check` does the rest."""
        return BlockDraft(self.name, given.texts())

    def write(self, content: Content, topic_name: str | None) -> dict[str, Any]:  # noqa: ARG002
        """The block as a message file describes it: what `read` reads back."""
        return {"kind": self.name, **content}


@dataclass(frozen=True)
class Promise:
    """What a request says to the customer: its title, and what the bot answers after the tap, if anything."""

    title: str
    after: str


class AskingKind(BlockKind):
    """A kind that asks for an opt-in: its blocks have a topic, and each sending is recorded as a request."""

    @abstractmethod
    def promise(self, content: Content) -> Promise:
        """What is recorded with each request."""

    @abstractmethod
    def warn_topic(self, content: Content, topic_name: str) -> list[Problem]:
        """What deserves a second look because of the topic that is asked about."""

    @abstractmethod
    def render_request(self, content: Content, payload: str) -> Message:
        """The `message` of one request. The platform sends `payload` back when the customer taps."""

    def render(self, content: Content) -> Message:
        return self.render_request(content, "")
