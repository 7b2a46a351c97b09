"""passwords that were handed over expire; a second factor; single sign-on

Revision ID: 0023
Revises: 0022
"""

import sqlalchemy as sa
from alembic import op

revision = '0023'
down_revision = '0022'
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table('operator') as operator:
        operator.add_column(sa.Column('password_expires_at', sa.DateTime(timezone=True), nullable=True))
        operator.add_column(sa.Column('totp_sealed', sa.Text(), nullable=True))
        operator.add_column(sa.Column('totp_step', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True))
        operator.add_column(sa.Column('subject', sa.String(length=400), nullable=True))
        operator.create_unique_constraint('uq_operator_subject', ['subject'])


def downgrade() -> None:
    with op.batch_alter_table('operator') as operator:
        operator.drop_constraint('uq_operator_subject', type_='unique')
        for column in ('subject', 'totp_step', 'totp_sealed', 'password_expires_at'):
            operator.drop_column(column)
