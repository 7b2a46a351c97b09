"""what Meta last said of a fanpage, and which conversations another app holds

Revision ID: 0012
Revises: 0011
"""

import sqlalchemy as sa
from alembic import op

revision = '0012'
down_revision = '0011'
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.add_column('fanpage', sa.Column('policy_action', sa.String(length=16), nullable=True))
    op.add_column('fanpage', sa.Column('policy_reason', sa.Text(), nullable=False, server_default=''))
    op.add_column('fanpage', sa.Column('policy_at', TIME, nullable=True))
    op.add_column('fanpage', sa.Column('policy_seen_at', TIME, nullable=True))
    op.add_column('fanpage', sa.Column('policy_ruled_at', TIME, nullable=True))
    op.add_column('customer', sa.Column('other_app_at', TIME, nullable=True))
    told = sa.text('other_app_at IS NOT NULL')
    op.create_index(
        'ix_customer_other_app', 'customer', ['fanpage_id'], sqlite_where=told, postgresql_where=told
    )


def downgrade() -> None:
    op.drop_index('ix_customer_other_app', 'customer')
    op.drop_column('customer', 'other_app_at')
    for name in ('policy_ruled_at', 'policy_seen_at', 'policy_at', 'policy_reason', 'policy_action'):
        op.drop_column('fanpage', name)
