"""the opt-ins of a fanpage as the worker counts them

Revision ID: 0035
Revises: 0034
"""

import sqlalchemy as sa
from alembic import op

revision = '0035'
down_revision = '0034'
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')


def upgrade() -> None:
    op.create_table(
        'opt_in_count',
        sa.Column('fanpage_id', BIG, nullable=False),
        sa.Column('counted_at', sa.DateTime(timezone=True), nullable=False),
        sa.Column('seconds', sa.Float(53), nullable=False),
        *(sa.Column(name, sa.JSON(), nullable=False) for name in ('agreed', 'lapsed', 'held', 'ends')),
        sa.ForeignKeyConstraint(['fanpage_id'], ['fanpage.id'], name=op.f('fk_opt_in_count_fanpage_id')),
        sa.PrimaryKeyConstraint('fanpage_id', name=op.f('pk_opt_in_count')),
    )


def downgrade() -> None:
    op.drop_table('opt_in_count')
