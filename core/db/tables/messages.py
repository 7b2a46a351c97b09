"""What the bot says, and what makes it say so."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Index, UniqueConstraint
from sqlmodel import Field

from core.db.tables.columns import NEVER_REUSED, BigId, Table, moment, reference, row_id, word


class Message(Table, table=True):
    """A chatbot message: an ordered list of blocks.

    Its Block and EntryPoint rows are what the bot sends: the version that was published last. What staff are
    writing waits in `draft`, which nothing that answers customers reads.

    The same message in a further language is a row of its own, without entry points, which customers of that
    language get in the place of the other: core/conversation/translations.py.
    """

    __tablename__ = "message"
    __table_args__ = (
        Index("uq_message_translation_of_id_language", "translation_of_id", "language", unique=True),
        NEVER_REUSED,
    )

    id: int | None = row_id()
    fanpage_id: int = reference("fanpage.id", index=True)
    name: str = word(120)
    translation_of_id: int | None = Field(default=None, sa_type=BigId)
    language: str | None = word(8, default=None)  # of a translation, as the customers' locales begin: "en"
    # What staff are writing, as core/conversation/stored_content.py keeps it; None: all is published.
    draft: dict[str, Any] | None = Field(default=None, sa_type=JSON(none_as_null=True))
    version: int = 1  # rises with every change of the draft: core/conversation/draft_actions.py
    changes: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)  # field: its last {version, by, at}
    published: int = 0  # number of the MessageVersion that the bot sends; 0: none yet
    archived_at: datetime | None = moment()
    created_at: datetime = moment(nullable=False)
    updated_at: datetime = moment(nullable=False)


class MessageVersion(Table, table=True):
    """A message as it was published at some time: to be read, and to be written on from."""

    __tablename__ = "message_version"
    __table_args__ = (UniqueConstraint("message_id", "number"),)

    id: int | None = row_id()
    message_id: int = reference("message.id")
    number: int
    content: dict[str, Any] = Field(sa_type=JSON)  # core/conversation/stored_content.py
    published_by: str = word(64, default="")
    published_at: datetime = moment(nullable=False)


class Block(Table, table=True):
    __tablename__ = "block"
    __table_args__ = (UniqueConstraint("message_id", "position"),)

    id: int | None = row_id()
    message_id: int = reference("message.id")
    position: int
    kind: str = word()
    content: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
    topic_id: int | None = reference("topic.id", nullable=True, index=True)  # of an OTNR


class EntryPoint(Table, table=True):
    """What makes the bot send a message."""

    __tablename__ = "entry_point"
    __table_args__ = (UniqueConstraint("fanpage_id", "kind", "folded"),)

    id: int | None = row_id()
    fanpage_id: int = reference("fanpage.id")
    message_id: int = reference("message.id", index=True)
    kind: str = word()
    match: str | None = word(default=None)  # of a keyword
    value: str = word(200, default="")  # the keyword or the ref as typed
    folded: str = word(200, default="")  # what must be unique: see core/conversation/entry_kinds
    created_at: datetime = moment(nullable=False)


class MessengerProfile(Table, table=True):
    """A fanpage's greeting, menu and ice breakers as they are here: core/conversation/messenger_profile."""

    __tablename__ = "messenger_profile"

    fanpage_id: int = Field(primary_key=True, foreign_key="fanpage.id", sa_type=BigId)
    content: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
    version: int = 0  # rises with every change
    updated_by: str = word(64, default="")
    updated_at: datetime = moment(nullable=False)
    published_version: int | None = None  # the latest that Facebook was seen to have
    published_by: str = word(64, default="")
    published_at: datetime | None = moment()


class Picture(Table, table=True):
    """A picture that staff uploaded; its file lies in the data folder under its name."""

    __tablename__ = "picture"

    id: int | None = row_id()
    fanpage_id: int = reference("fanpage.id", index=True)
    name: str = word(64, unique=True)
    attachment_id: str | None = word(64, default=None, index=True)  # what Messenger calls it
    attached_at: datetime | None = moment()  # when it was handed over to Messenger
    tried_at: datetime | None = moment()
    created_at: datetime = moment(nullable=False)
