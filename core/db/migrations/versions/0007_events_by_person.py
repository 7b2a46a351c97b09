"""whose events wait; events by time are found by their id

Revision ID: 0007
Revises: 0006
"""

import sqlalchemy as sa
from alembic import op

revision = '0007'
down_revision = '0006'
branch_labels = None
depends_on = None

PENDING = sa.text("state = 'pending'")


def upgrade() -> None:
    op.add_column('event', sa.Column('psid', sa.String(length=64), nullable=True))
    op.create_index('ix_event_page_id_psid_pending', 'event', ['page_id', 'psid'], unique=False, sqlite_where=PENDING, postgresql_where=PENDING)
    op.drop_index('ix_event_received_at', table_name='event')


def downgrade() -> None:
    op.create_index('ix_event_received_at', 'event', ['received_at'], unique=False)
    op.drop_index('ix_event_page_id_psid_pending', table_name='event')
    op.drop_column('event', 'psid')
