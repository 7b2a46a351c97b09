"""who asked for the approval of a draft

Revision ID: 0040
Revises: 0039
"""

import sqlalchemy as sa
from alembic import op

revision = '0040'
down_revision = '0039'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('broadcast', sa.Column('asked_by', sa.String(length=64), nullable=False, server_default=''))
    op.add_column('broadcast', sa.Column('asked_at', sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    op.drop_column('broadcast', 'asked_at')
    op.drop_column('broadcast', 'asked_by')
