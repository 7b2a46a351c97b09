"""What a kind of entry point must know. A kind is one class in one file beside this one (pure)."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from core.conversation.drafts import EntryDraft
from core.errors import N_, Problem, problem
from core.text.normalise import normalise_name

Fields = Mapping[str, Any]  # what the composer holds, by the names of the fields of all kinds


@dataclass(frozen=True)
class KnownEntry:
    """An entry point of a fanpage and the message it sends."""

    message_id: int
    kind: str
    match: str | None
    value: str


@dataclass(frozen=True)
class FoundEntry:
    """The message to send, and the kind and value of the entry point that leads to it."""

    message_id: int
    kind: str
    value: str


@dataclass(frozen=True)
class CustomerAct:
    """What a customer did: wrote a `text` or tapped something with that title, of a `payload`; came by the
    `ref` of a link; wrote a `comment` on a post. `has_message` says whether the message that the payload
    names is ours and in use."""

    text: str | None = None
    payload: str | None = None
    ref: str | None = None
    comment: str | None = None
    has_message: bool = True


class EntryPointKind(ABC):
    """A kind of entry point. It has no state of its own."""

    name: ClassVar[str]
    named: ClassVar[str]  # of one with a value, for people: "Keyword “{value}”"
    plain: ClassVar[str]  # of one without
    is_bubble: ClassVar[bool] = True  # what the customer did stands in the thread, as its value

    @abstractmethod
    def find(self, known: Sequence[KnownEntry], act: CustomerAct) -> FoundEntry | None:
        """The entry point that the act leads to; `known` are those of this kind, oldest first."""


class ComposedKind(EntryPointKind):
    """A kind that is typed in the composer of a message, and leads to that message."""

    fields: ClassVar[Fields]  # the composer's fields of this kind, empty
    listed: ClassVar[str]  # in the list of messages, with {value}
    is_written: ClassVar[bool] = False  # the customer writes its value as a message
    webhook_field: ClassVar[str] = ""  # that has to be subscribed to beside those that every fanpage needs
    stands_alone: ClassVar[bool] = False  # a message file may name it by its name alone

    def clean(self, entry: EntryDraft) -> EntryDraft:
        """The entry point as it is kept: what was typed or pasted, without what surrounds it."""
        return EntryDraft(self.name, None, normalise_name(entry.value))

    @abstractmethod
    def key(self, value: str) -> str:
        """Two entry points of this kind are the same one when their keys are equal; `value` is clean."""

    @abstractmethod
    def check(self, entry: EntryDraft) -> list[Problem]:
        """What is wrong with one, apart from what others are."""

    def taken(self, entry: EntryDraft, owner: str) -> Problem:
        """The problem to report when the entry point leads to another message, called `owner`."""
        words = N_("“{value}” already starts “{name}”; remove it there first.")
        return problem("entry_points", words, value=self.clean(entry).value, name=owner)

    @abstractmethod
    def typed(self, fields: Fields) -> list[EntryDraft]:
        """The entry points that the composer's fields hold."""

    @abstractmethod
    def fill(self, entries: Sequence[EntryDraft]) -> dict[str, Any]:
        """The composer's fields that hold these entry points of this kind."""

    def read(self, item: Mapping[Any, Any]) -> EntryDraft:
        """The entry point that a message file describes."""
        return EntryDraft(self.name, None, value_in(item))

    def write(self, entry: EntryDraft) -> dict[str, Any]:
        """The entry point as a message file describes it: what `read` reads back."""
        named = {"match": entry.match, "value": entry.value}
        return {"kind": self.name, **{name: given for name, given in named.items() if given}}


def value_in(item: Mapping[Any, Any]) -> str:
    """The value of an entry point in a message file, which may also be named after what it is."""
    return next((str(item[name]) for name in ("value", "keyword", "ref") if item.get(name)), "")


def split_list(listed: str) -> list[str]:
    """What stands between commas."""
    return [word for part in listed.split(",") if (word := normalise_name(part))]


def joined_list(values: Sequence[str]) -> str:
    """What `split_list` takes apart again."""
    return ", ".join(value.replace(",", " ") for value in values)


def found(entry: KnownEntry | None) -> FoundEntry | None:
    return FoundEntry(entry.message_id, entry.kind, entry.value) if entry else None
