"""index only the message ids there are: a launch writes a million rows without one

Revision ID: 0006
Revises: 0005
"""

import sqlalchemy as sa
from alembic import op

revision = '0006'
down_revision = '0005'
branch_labels = None
depends_on = None

THERE = sa.text('mid IS NOT NULL')


def upgrade() -> None:
    for table in ('delivery', 'reply'):
        op.drop_index(f'ix_{table}_mid', table_name=table)
        op.create_index(f'ix_{table}_mid', table, ['mid'], sqlite_where=THERE, postgresql_where=THERE)


def downgrade() -> None:
    for table in ('delivery', 'reply'):
        op.drop_index(f'ix_{table}_mid', table_name=table)
        op.create_index(f'ix_{table}_mid', table, ['mid'])
