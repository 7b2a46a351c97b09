"""what people said about the set-up, checks of the installation, and one-time notifications switched off

Revision ID: 0033
Revises: 0032
"""

import sqlalchemy as sa
from alembic import op

revision = '0033'
down_revision = '0032'
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.add_column('fanpage', sa.Column('otn_off_at', TIME, nullable=True))
    op.add_column('fanpage', sa.Column('otn_off_by', sa.String(length=64), nullable=False, server_default=''))
    op.create_table(
        'set_up_mark',
        sa.Column('scope', sa.String(length=64), nullable=False),
        sa.Column('code', sa.String(length=32), nullable=False),
        sa.Column('by', sa.String(length=64), nullable=False),
        sa.Column('at', TIME, nullable=False),
        sa.PrimaryKeyConstraint('scope', 'code', name='pk_set_up_mark'),
    )
    op.create_table(
        'installation_check',
        sa.Column('name', sa.String(length=32), nullable=False),
        sa.Column('value', sa.Text(), nullable=False),
        sa.Column('code', sa.String(length=32), nullable=True),
        sa.Column('checked_at', TIME, nullable=True),
        sa.PrimaryKeyConstraint('name', name='pk_installation_check'),
    )


def downgrade() -> None:
    op.drop_table('installation_check')
    op.drop_table('set_up_mark')
    for name in ('otn_off_by', 'otn_off_at'):
        op.drop_column('fanpage', name)
