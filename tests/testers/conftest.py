"""A fanpage with a message, an operator, and a colleague's phone; events come in by the wire format."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from core.accounts.passwords import hash_password
from core.accounts.rules import Actor, Role
from core.conversation.actions import save_message
from core.conversation.drafts import BlockDraft, EntryDraft
from core.db import tables
from core.testers.actions import invite_tester
from core.testers.queries import list_testers
from core.testers.rules import word_for
from tests.arrange import Arrange
from tests.inbox.conftest import fanpage, receive
from tests.inbox.platform import rows, said

__all__ = ["fanpage", "receive"]
PSID = "24070000000000077"
OTNR = {"title": "Báo tôi khi hàng về", "after": "Cảm ơn bạn!"}


@dataclass
class Team:
    arrange: Arrange
    fanpage: int
    receive: Any
    now: datetime

    def __post_init__(self) -> None:
        self.lan = self.operator("lan")
        self.topic = self.arrange.topic(self.fanpage)

    def operator(self, name: str, role: Role = Role.EDITOR) -> Actor:
        since = self.now - timedelta(days=1)
        row = tables.Operator(
            name=name,
            role=role,
            password_hash=hash_password("correct-horse-battery"),
            sessions_valid_after=since,
            created_at=since,
        )
        return Actor(self.arrange.save(row), name, role, signed_in_at=self.now)

    def lan_later(self, after: timedelta) -> Actor:
        """Lan, who has signed in anew since."""
        return replace(self.lan, signed_in_at=self.now + after)

    def says(self, text: str, psid: str = PSID, *, at: datetime | None = None) -> None:
        at = at or self.now
        self.receive(said(psid, at, text, f"m_{psid}_{text}_{at}"), at=at)

    def tester(self, by: Actor | None = None, *, psid: str = PSID, name: str | None = None) -> int:
        """Somebody invited who has written their code word."""
        tester_id = invite_tester(by or self.lan, self.fanpage, name=name, now=self.now)
        self.says(word_for(self.code_of(tester_id)), psid)
        return tester_id

    def code_of(self, tester_id: int) -> str:
        (code,) = [each.code for each in list_testers(self.fanpage) if each.id == tester_id]
        return code

    def message(self, *blocks: BlockDraft, keyword: str | None = None) -> int:
        return save_message(
            self.lan,
            self.fanpage,
            name="Chào",
            blocks=list(blocks) or [BlockDraft("text", {"text": "Chào {{first_name}}", "fallback": "bạn"})],
            entry_points=[EntryDraft("keyword", keyword, "exact")] if keyword else [],
            now=self.now,
        )

    def otnr(self) -> BlockDraft:
        return BlockDraft("otnr", OTNR, self.topic)

    def broadcast(self, content: dict[str, Any], **more: Any) -> int:
        values = {"state": "draft", "name": "Tết", "created_at": self.now, "updated_at": self.now, **more}
        row = tables.Broadcast(fanpage_id=self.fanpage, topic_id=self.topic, content=content, **values)
        return self.arrange.save(row)

    def tests(self) -> list[tables.Reply]:
        """The messages of all tests."""
        return [row for row in rows(tables.Reply) if row.tester_message_id]


@pytest.fixture
def team(arrange: Arrange, fanpage: int, receive: Any, now: datetime) -> Team:
    return Team(arrange, fanpage, receive, now)
