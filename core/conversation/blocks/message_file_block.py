"""A block as a message file describes it, read field by field. See docs/message-files.md."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from core.conversation.payloads import STOP_ALL
from core.errors import N_, Invalid, problem
from core.text.normalise import name_key

_NO_FIELDS = ("kind", "type", "topic", "topic_id")


@dataclass(frozen=True)
class FileBlock:
    """Whatever has the wrong shape raises Invalid, which says where it stands in the file."""

    given: Mapping[Any, Any]
    path: str  # of the block in the file: "blocks.0"
    topics: Mapping[str, int]  # the fanpage's topics: ids by the `name_key` of their names

    def texts(self, *, but: str | None = None) -> dict[str, Any]:
        """Every field of the block, each of which must be a text; `but` is left out."""
        found = {key: value for key, value in self.given.items() if key not in (*_NO_FIELDS, but)}
        for key, value in found.items():
            if not isinstance(value, str | None):
                words = N_("“{name}” must be text.")
                raise Invalid([problem(f"{self.path}.{key}", words, name=key)])
        return found

    def choices(self, field: str) -> list[dict[str, Any]]:
        """Buttons or quick replies: objects whose "message_id", if any, is a whole number."""
        choices = self.given.get(field, [])
        if not isinstance(choices, list) or not all(map(_is_choice, choices)):
            words = N_("Buttons and quick replies are a list of objects with a “title” and where they lead.")
            raise Invalid([problem(self.path, words)])
        return [self._with_topic(choice) for choice in choices]

    def parts(self, field: str) -> list[FileBlock]:
        """Objects that are read like blocks of their own, such as the cards of a carousel."""
        parts = self.given.get(field, [])
        if not isinstance(parts, list) or not all(isinstance(part, Mapping) for part in parts):
            words = N_("“{name}” must be a list of objects.")
            raise Invalid([problem(f"{self.path}.{field}", words, name=field)])
        return [
            FileBlock(part, f"{self.path}.{field}.{place}", self.topics) for place, part in enumerate(parts)
        ]

    def topic(self) -> int | None:
        """The id of the block's topic, which the file names by name or by id; None when it names none."""
        return self._topic_id(self.given.get("topic", self.given.get("topic_id")))

    def _with_topic(self, choice: dict[str, Any]) -> dict[str, Any]:
        """A button that stops notifications names "all" or a topic, one that asks again a topic."""
        named = {key: choice.get(key) for key in ("stop", "asks_topic")}
        ids = {key: self._topic_id(given) for key, given in named.items() if given not in (None, STOP_ALL)}
        return {**choice, **ids}

    def _topic_id(self, wanted: object) -> int | None:
        if wanted is None or wanted == "":
            return None
        if isinstance(wanted, int) and not isinstance(wanted, bool) and wanted in self.topics.values():
            return wanted
        found = self.topics.get(name_key(str(wanted)))
        if found is None:
            words = N_("There is no topic called “{topic}” on this fanpage.")
            raise Invalid([problem(f"{self.path}.topic", words, topic=str(wanted)[:80])])
        return found


def _is_choice(choice: object) -> bool:
    if not isinstance(choice, dict):
        return False
    message_id = choice.get("message_id")
    return isinstance(message_id, int | None) and not isinstance(message_id, bool)
