"""a broadcast has a version, which a launch approves; its best-before is a moment

Revision ID: 0013
Revises: 0012
"""

from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = '0013'
down_revision = '0012'
branch_labels = None
depends_on = None


def upgrade() -> None:
    added: tuple[sa.Column[Any], ...] = (
        sa.Column('best_before_chosen', sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column('version', sa.Integer(), nullable=False, server_default='1'),
        sa.Column('changes', sa.JSON(), nullable=False, server_default='{}'),
        sa.Column('approved_version', sa.Integer(), nullable=True),
        sa.Column('approved_by', sa.String(length=64), nullable=False, server_default=''),
        sa.Column('approved_at', sa.DateTime(timezone=True), nullable=True),
    )
    for column in added:
        op.add_column('broadcast', column)
    _keep_what_was_chosen()


def _keep_what_was_chosen() -> None:
    """A draft without a start had its best-before so long after its last save; the usual one was nobody's choice."""
    db = op.get_bind()
    table = sa.table(
        'broadcast',
        *(sa.column(name) for name in ('id', 'state', 'launched_by', 'approved_version', 'approved_by')),
        *(sa.column(name, sa.DateTime(timezone=True)) for name in ('due_at', 'best_before', 'updated_at')),
        sa.column('best_before_chosen', sa.Boolean()),
    )
    db.execute(sa.update(table).values(best_before_chosen=True))
    db.execute(
        sa.update(table)
        .where(table.c.launched_by != '', table.c.state != 'draft')
        .values(approved_version=1, approved_by=table.c.launched_by)
    )
    drafts = sa.select(table).where(table.c.state == 'draft', table.c.due_at.is_(None), table.c.best_before.is_not(None))
    usual = [row.id for row in db.execute(drafts) if row.best_before - row.updated_at == timedelta(hours=12)]
    for draft in usual:
        db.execute(sa.update(table).where(table.c.id == draft).values(best_before=None, best_before_chosen=False))


def downgrade() -> None:
    for name in ('best_before_chosen', 'version', 'changes', 'approved_version', 'approved_by', 'approved_at'):
        op.drop_column('broadcast', name)
