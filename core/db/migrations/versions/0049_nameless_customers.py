"""an index of the customers whose names are still to be asked for

Revision ID: 0049
Revises: 0048
"""

import sqlalchemy as sa
from alembic import op

revision = '0049'
down_revision = '0048'
branch_labels = None
depends_on = None


def upgrade() -> None:
    nameless = sa.text('profile_at IS NULL AND last_event_at IS NOT NULL')
    op.create_index(
        'ix_customer_nameless', 'customer', ['last_event_at', 'id'], sqlite_where=nameless, postgresql_where=nameless
    )


def downgrade() -> None:
    op.drop_index('ix_customer_nameless', table_name='customer')
