"""webhook events can be listed by time and state, and know that they are replayed

Revision ID: 0043
Revises: 0042
"""

import sqlalchemy as sa
from alembic import op

revision = '0043'
down_revision = '0042'
branch_labels = None
depends_on = None

IGNORED = sa.text("state = 'ignored'")


def upgrade() -> None:
    op.add_column('event', sa.Column('replayed_at', sa.DateTime(timezone=True), nullable=True))
    op.create_index('ix_event_ignored', 'event', ['id'], sqlite_where=IGNORED, postgresql_where=IGNORED)
    op.create_index('ix_event_received_at_kind_page_id', 'event', ['received_at', 'kind', 'page_id'])


def downgrade() -> None:
    op.drop_index('ix_event_received_at_kind_page_id', table_name='event')
    op.drop_index('ix_event_ignored', table_name='event')
    op.drop_column('event', 'replayed_at')
