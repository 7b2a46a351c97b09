"""a row for each browser that has signed in, and from where something was done

Revision ID: 0021
Revises: 0020
"""

import sqlalchemy as sa
from alembic import op

revision = '0021'
down_revision = '0020'
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')
TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        'operator_session',
        sa.Column('id', BIG, nullable=False),
        sa.Column('operator_id', BIG, nullable=False),
        sa.Column('key_hash', sa.String(length=64), nullable=False),
        sa.Column('is_kept', sa.Boolean(), nullable=False),
        sa.Column('signed_in_at', TIME, nullable=False),
        sa.Column('last_seen_at', TIME, nullable=False),
        sa.Column('ended_at', TIME, nullable=True),
        sa.Column('address', sa.String(length=64), nullable=False),
        sa.Column('browser', sa.String(length=80), nullable=False),
        sa.ForeignKeyConstraint(['operator_id'], ['operator.id'], name='fk_operator_session_operator_id'),
        sa.PrimaryKeyConstraint('id', name='pk_operator_session'),
        sa.UniqueConstraint('key_hash', name='uq_operator_session_key_hash'),
    )
    op.create_index('ix_operator_session_operator_id', 'operator_session', ['operator_id'])
    op.create_index('ix_operator_session_signed_in_at', 'operator_session', ['signed_in_at'])
    op.add_column('activity', sa.Column('address', sa.String(length=64), nullable=False, server_default=''))
    op.add_column('activity', sa.Column('session_id', BIG, nullable=True))


def downgrade() -> None:
    op.drop_column('activity', 'session_id')
    op.drop_column('activity', 'address')
    op.drop_table('operator_session')
