"""The templates of a fanpage."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlmodel import col

from core.db.engine import reading
from core.db.tables import Template
from core.templates.rules import TemplateKind
from core.text.collation import sort_key


@dataclass(frozen=True)
class TemplateView:
    id: int
    name: str
    created_by: str
    created_at: datetime


def list_templates(fanpage_id: int, kind: TemplateKind) -> list[TemplateView]:
    """The templates of a fanpage by name."""
    columns = select(col(Template.id), col(Template.name), col(Template.created_by), col(Template.created_at))
    of_kind = columns.where(col(Template.fanpage_id) == fanpage_id, col(Template.kind) == kind)
    with reading() as db:
        return sorted((TemplateView(*row) for row in db.execute(of_kind)), key=lambda one: sort_key(one.name))
