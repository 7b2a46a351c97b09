"""the id of the request that brought a webhook event

Revision ID: 0050
Revises: 0049
"""

import sqlalchemy as sa
from alembic import op

revision = '0050'
down_revision = '0049'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('event', sa.Column('request_id', sa.String(128), nullable=True))


def downgrade() -> None:
    op.drop_column('event', 'request_id')
