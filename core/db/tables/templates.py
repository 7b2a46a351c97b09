"""Broadcasts and messages to begin from."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON
from sqlmodel import Field

from core.db.tables.columns import NEVER_REUSED, Table, moment, reference, row_id, word


class Template(Table, table=True):
    """What a broadcast or a message said when somebody saved it as a template: core/templates."""

    __tablename__ = "template"
    __table_args__ = NEVER_REUSED

    id: int | None = row_id()
    fanpage_id: int = reference("fanpage.id", index=True)
    kind: str = word()  # core/templates/rules.py
    name: str = word(120)
    content: dict[str, Any] = Field(sa_type=JSON)
    created_by: str = word(64)
    created_at: datetime = moment(nullable=False)
