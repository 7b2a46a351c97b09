"""a worker says whether Messenger turns down its calls for several fanpages

Revision ID: 0018
Revises: 0017
"""

import sqlalchemy as sa
from alembic import op

revision = '0018'
down_revision = '0017'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('heartbeat', sa.Column('mixed_refused_at', sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    op.drop_column('heartbeat', 'mixed_refused_at')
