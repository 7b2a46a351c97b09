"""the fanpages' own pictures

Revision ID: 0047
Revises: 0046
"""

import sqlalchemy as sa
from alembic import op

revision = '0047'
down_revision = '0046'
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')


def upgrade() -> None:
    op.create_table(
        'fanpage_picture',
        sa.Column('fanpage_id', BIG, nullable=False),
        sa.Column('address', sa.Text(), nullable=False),
        sa.Column('due_at', sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(['fanpage_id'], ['fanpage.id'], name=op.f('fk_fanpage_picture_fanpage_id')),
        sa.PrimaryKeyConstraint('fanpage_id', name=op.f('pk_fanpage_picture')),
    )


def downgrade() -> None:
    op.drop_table('fanpage_picture')
