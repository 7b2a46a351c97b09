"""What the form of a kind of entry point must know. A form is one class in one file beside this one."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import streamlit as st

from core.conversation.entry_kinds.kind import KnownEntry
from pages.components.block_editor.draft import Draft
from pages.components.block_editor.fields import bind_input


@dataclass(frozen=True)
class EntryContext:
    """What the rest of the fanpage has to do with the message that is being written."""

    page_id: str
    message_id: int  # 0: of a new message
    names: Mapping[int, str]  # of all messages of the fanpage
    others: Sequence[KnownEntry]  # the entry points of the other messages
    owners: Mapping[tuple[str, str], str]  # the same, by kind and key, with the names of their messages
    led_from: Sequence[str]  # the names of messages whose buttons lead here
    caption: str  # of a QR code: the topic that the message asks about, else its name
    is_locked: bool

    def is_free(self, kind: str) -> bool:
        """Whether no other message has the one entry point that a fanpage has of this kind."""
        return (kind, "") not in self.owners


class EntryForm(ABC):
    """The inputs of one kind of entry point. They hold the draft's fields that the kind names."""

    name: ClassVar[str]

    @abstractmethod
    def draw(self, draft: Draft, key: str, context: EntryContext) -> None:
        """Draws the inputs; `key` begins the keys of its widgets."""


def draw_words(
    draft: Draft, field: str, label: str, key: str, context: EntryContext, *, placeholder: str, help: str
) -> None:
    """Words between commas."""
    bind_input(
        st.text_input,
        draft,
        field,
        label,
        f"{key}_{field}",
        disabled=context.is_locked,
        placeholder=placeholder,
        help=help,
        live=True,
    )
