"""what the breaker on likeness looks at: the last outcomes of a fanpage and of a broadcast

Revision ID: 0015
Revises: 0014
"""

import sqlalchemy as sa
from alembic import op

revision = '0015'
down_revision = '0014'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('recent_outcomes',
    sa.Column('scope', sa.String(length=16), nullable=False),
    sa.Column('ref_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('outcomes', sa.BigInteger(), nullable=False),
    sa.Column('refusals', sa.JSON(), nullable=False),
    sa.PrimaryKeyConstraint('scope', 'ref_id', name=op.f('pk_recent_outcomes'))
    )


def downgrade() -> None:
    op.drop_table('recent_outcomes')
