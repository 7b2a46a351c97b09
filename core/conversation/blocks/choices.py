"""Kinds of blocks with a text and a list of choices under it: buttons or quick replies.

A choice is a dict with a `title` and where it leads: `message_id`, and for buttons also `url` or `stop`.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar

from core.conversation.blocks.kind import BlockKind, Content
from core.conversation.blocks.message_file_block import FileBlock
from core.conversation.blocks.personal_text import (
    check_personal_text,
    clean_personal_text,
    warn_personal_text,
)
from core.conversation.drafts import BlockDraft
from core.errors import Problem

Choice = Mapping[str, Any]


class ChoiceKind(BlockKind):
    listed: ClassVar[str]  # the field with the choices
    text_limit: ClassVar[int]  # the most characters of the text

    @abstractmethod
    def clean_choice(self, choice: Choice) -> dict[str, Any]:
        """A choice as it is kept."""

    @abstractmethod
    def check_choices(self, choices: list[Choice]) -> list[Problem]:
        """What is wrong with the list or with one of the choices."""

    def choices_of(self, content: Content) -> list[Choice]:
        return list(content.get(self.listed) or [])

    def clean(self, content: Content) -> dict[str, Any]:
        choices = [self.clean_choice(choice) for choice in self.choices_of(content)]
        return {**clean_personal_text(content), self.listed: choices}

    def check(self, block: BlockDraft) -> list[Problem]:
        wrong_text = check_personal_text(block.content, self.text_limit)
        return wrong_text + self.check_choices(self.choices_of(block.content))

    def warn(self, content: Content) -> list[Problem]:
        return warn_personal_text(content)

    def message_ids(self, content: Content) -> set[int]:
        choices = self.choices_of(content)
        return {choice["message_id"] for choice in choices if choice.get("message_id")}

    def read(self, given: FileBlock) -> BlockDraft:
        return BlockDraft(
            self.name, {**given.texts(but=self.listed), self.listed: given.choices(self.listed)}
        )
