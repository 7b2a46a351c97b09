"""the backups that were made are known

Revision ID: 0031
Revises: 0030
"""

import sqlalchemy as sa
from alembic import op

revision = '0031'
down_revision = '0030'
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')


def upgrade() -> None:
    op.create_table(
        'backup',
        sa.Column('id', BIG, nullable=False),
        sa.Column('made_at', sa.DateTime(timezone=True), nullable=False),
        sa.Column('place', sa.String(length=200), nullable=False),
        sa.Column('bytes', sa.BigInteger(), nullable=False),
        sa.Column('opt_ins', sa.BigInteger(), nullable=False),
        sa.Column('problem', sa.String(length=300), nullable=True),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_backup')),
    )
    op.create_index(op.f('ix_backup_made_at'), 'backup', ['made_at'], unique=False)


def downgrade() -> None:
    op.drop_index(op.f('ix_backup_made_at'), table_name='backup')
    op.drop_table('backup')
