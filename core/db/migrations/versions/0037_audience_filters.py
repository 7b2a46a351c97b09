"""filters of an audience, changes of what is scheduled, the sender of one delivery, rules of a launch

Revision ID: 0037
Revises: 0036
"""

import sqlalchemy as sa
from alembic import op

revision = '0037'
down_revision = '0036'
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')


def upgrade() -> None:
    op.add_column('fanpage', sa.Column('launch_rules', sa.Text(), nullable=True))
    op.add_column('delivery', sa.Column('sender', sa.String(length=32), nullable=True))
    op.add_column('broadcast', sa.Column('filters', sa.JSON(), nullable=False, server_default='{}'))
    op.add_column('broadcast', sa.Column('revises_id', BIG, nullable=True))
    op.add_column('broadcast', sa.Column('revises_version', sa.Integer(), nullable=True))


def downgrade() -> None:
    op.drop_column('broadcast', 'revises_version')
    op.drop_column('broadcast', 'revises_id')
    op.drop_column('broadcast', 'filters')
    op.drop_column('delivery', 'sender')
    op.drop_column('fanpage', 'launch_rules')
