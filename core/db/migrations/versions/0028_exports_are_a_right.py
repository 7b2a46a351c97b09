"""exports are a right of their own, which viewers of before keep

Revision ID: 0028
Revises: 0027
"""

import sqlalchemy as sa
from alembic import op

revision = '0028'
down_revision = '0027'
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table('operator') as operator:
        operator.add_column(sa.Column('may_export', sa.Boolean(), nullable=False, server_default=sa.false()))
        operator.drop_constraint('uq_operator_subject', type_='unique')
        operator.drop_column('subject')  # of a single sign-on that never came
    op.execute(sa.text('UPDATE operator SET may_export = :yes').bindparams(yes=True))


def downgrade() -> None:
    with op.batch_alter_table('operator') as operator:
        operator.add_column(sa.Column('subject', sa.String(length=400), nullable=True))
        operator.create_unique_constraint('uq_operator_subject', ['subject'])
        operator.drop_column('may_export')
