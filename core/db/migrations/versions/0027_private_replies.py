"""replies answer comments on posts

Revision ID: 0027
Revises: 0026
"""

import sqlalchemy as sa
from alembic import op

revision = '0027'
down_revision = '0026'
branch_labels = None
depends_on = None

OF_COMMENTS = sa.text('comment_id IS NOT NULL')


def upgrade() -> None:
    op.add_column('reply', sa.Column('comment_id', sa.String(length=200), nullable=True))
    op.add_column('reply', sa.Column('comment_until', sa.DateTime(timezone=True), nullable=True))
    op.create_index(
        'uq_reply_comment_id',
        'reply',
        ['fanpage_id', 'comment_id'],
        unique=True,
        sqlite_where=OF_COMMENTS,
        postgresql_where=OF_COMMENTS,
    )


def downgrade() -> None:
    op.drop_index('uq_reply_comment_id', table_name='reply')
    op.drop_column('reply', 'comment_until')
    op.drop_column('reply', 'comment_id')
