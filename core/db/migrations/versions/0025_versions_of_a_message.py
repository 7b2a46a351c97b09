"""a message has a draft beside what the bot sends, and keeps each version that was published

Revision ID: 0025
Revises: 0024
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = '0025'
down_revision = '0024'
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')


def upgrade() -> None:
    added: tuple[sa.Column[Any], ...] = (
        sa.Column('draft', sa.JSON(), nullable=True),
        sa.Column('version', sa.Integer(), nullable=False, server_default='1'),
        sa.Column('changes', sa.JSON(), nullable=False, server_default='{}'),
        sa.Column('published', sa.Integer(), nullable=False, server_default='0'),
    )
    for column in added:
        op.add_column('message', column)
    op.create_table(
        'message_version',
        sa.Column('id', BIG, nullable=False),
        sa.Column('message_id', BIG, nullable=False),
        sa.Column('number', sa.Integer(), nullable=False),
        sa.Column('content', sa.JSON(), nullable=False),
        sa.Column('published_by', sa.String(length=64), nullable=False, server_default=''),
        sa.Column('published_at', sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(['message_id'], ['message.id'], name='fk_message_version_message_id'),
        sa.PrimaryKeyConstraint('id', name='pk_message_version'),
        sa.UniqueConstraint('message_id', 'number', name='uq_message_version_message_id_number'),
    )
    _take_as_published()


def _take_as_published() -> None:
    """What the bot sends today is the first version of each message."""
    db = op.get_bind()
    message = sa.table('message', *(sa.column(name) for name in ('id', 'published')), sa.column('updated_at', sa.DateTime(timezone=True)))
    block = sa.table('block', *(sa.column(name) for name in ('message_id', 'position', 'kind', 'topic_id')), sa.column('content', sa.JSON()))
    entry = sa.table('entry_point', *(sa.column(name) for name in ('id', 'message_id', 'kind', 'match', 'value')))
    version = sa.table(
        'message_version',
        *(sa.column(name) for name in ('message_id', 'number')),
        sa.column('content', sa.JSON()),
        sa.column('published_at', sa.DateTime(timezone=True)),
    )
    for row in db.execute(sa.select(message.c.id, message.c.updated_at)).all():
        blocks = db.execute(sa.select(block).where(block.c.message_id == row.id).order_by(block.c.position))
        entries = db.execute(sa.select(entry).where(entry.c.message_id == row.id).order_by(entry.c.id))
        content = {
            'blocks': [{'kind': b.kind, 'content': b.content, 'topic_id': b.topic_id} for b in blocks],
            'entry_points': [{'kind': e.kind, 'match': e.match, 'value': e.value} for e in entries],
        }
        given = {'message_id': row.id, 'number': 1, 'content': content, 'published_at': row.updated_at}
        db.execute(sa.insert(version).values(given))
    db.execute(sa.update(message).values(published=1))


def downgrade() -> None:
    """Drafts and earlier versions are not known there; a message that was never published goes."""
    op.drop_table('message_version')
    op.execute('DELETE FROM message WHERE published = 0')
    for name in ('draft', 'version', 'changes', 'published'):
        op.drop_column('message', name)
