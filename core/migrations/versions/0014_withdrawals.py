"""a tap waits for its turn like every event: nobody asks any more whose events wait

Revision ID: 0014
Revises: 0011
"""

import sqlalchemy as sa
from alembic import op

revision = '0014'
down_revision = '0011'
branch_labels = None
depends_on = None

PENDING = sa.text("state = 'pending'")


def upgrade() -> None:
    op.drop_index('ix_event_page_id_psid_pending', table_name='event')


def downgrade() -> None:
    op.create_index('ix_event_page_id_psid_pending', 'event', ['page_id', 'psid'], unique=False, sqlite_where=PENDING, postgresql_where=PENDING)
