"""the few customers who cannot be reached and the few answers worth reading, found without all others

Revision ID: 0008
Revises: 0007
"""

import sqlalchemy as sa
from alembic import op

revision = '0008'
down_revision = '0007'
branch_labels = None
depends_on = None

FEW = (
    ('ix_customer_unreachable', 'customer', 'fanpage_id', 'unreachable_at IS NOT NULL'),
    ('ix_delivery_detail', 'delivery', 'broadcast_id', 'detail IS NOT NULL'),
)


def upgrade() -> None:
    for name, table, column, where in FEW:
        op.create_index(name, table, [column], sqlite_where=sa.text(where), postgresql_where=sa.text(where))


def downgrade() -> None:
    for name, table, _column, _where in FEW:
        op.drop_index(name, table_name=table)
