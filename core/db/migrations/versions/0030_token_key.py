"""the hashes of tokens have a key of their own

Revision ID: 0030
Revises: 0029
"""

import sqlalchemy as sa
from alembic import op

revision = '0030'
down_revision = '0029'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        'token_key',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('sealed', sa.Text(), nullable=False),
        sa.Column('sealed_by_app', sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_token_key')),
    )


def downgrade() -> None:
    op.drop_table('token_key')
