"""who followed a link, and who answered a broadcast

Revision ID: 0020
Revises: 0019
"""

import sqlalchemy as sa
from alembic import op

revision = '0020'
down_revision = '0019'
branch_labels = None
depends_on = None

CLICKS = (('clicked_at', sa.DateTime(timezone=True)), ('clicked_links', sa.BigInteger()))


def upgrade() -> None:
    for table in ('delivery', 'reply'):
        for name, kind in CLICKS:
            op.add_column(table, sa.Column(name, kind, nullable=True))
    op.add_column('delivery', sa.Column('replied_at', sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    op.drop_column('delivery', 'replied_at')
    for table in ('delivery', 'reply'):
        for name, _kind in CLICKS:
            op.drop_column(table, name)
