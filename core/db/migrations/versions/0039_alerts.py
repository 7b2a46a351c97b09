"""alerts, and how their channels fare

Revision ID: 0039
Revises: 0038
"""

import sqlalchemy as sa
from alembic import op

revision = '0039'
down_revision = '0038'
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')
TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        'alert',
        sa.Column('id', BIG, nullable=False),
        sa.Column('matter', sa.String(length=200), nullable=False),
        sa.Column('channel', sa.String(length=16), nullable=False),
        sa.Column('since', TIME, nullable=False),
        sa.Column('told_at', TIME, nullable=True),
        sa.Column('attempts', sa.Integer(), nullable=False),
        sa.Column('next_try_at', TIME, nullable=False),
        sa.PrimaryKeyConstraint('id', name='pk_alert'),
        sa.UniqueConstraint('matter', 'channel', name='uq_alert_matter_channel'),
    )
    op.create_table(
        'alert_channel',
        sa.Column('channel', sa.String(length=16), nullable=False),
        sa.Column('sent_at', TIME, nullable=True),
        sa.Column('failed_at', TIME, nullable=True),
        sa.Column('problem', sa.String(length=300), nullable=True),
        sa.Column('test_asked_at', TIME, nullable=True),
        sa.PrimaryKeyConstraint('channel', name='pk_alert_channel'),
    )


def downgrade() -> None:
    op.drop_table('alert_channel')
    op.drop_table('alert')
