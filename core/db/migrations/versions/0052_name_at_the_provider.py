"""what an operator of single sign-on is called there

Revision ID: 0052
Revises: 0051
"""

import sqlalchemy as sa
from alembic import op

revision = '0052'
down_revision = '0051'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('operator', sa.Column('sso_name', sa.String(64), nullable=True))


def downgrade() -> None:
    op.drop_column('operator', 'sso_name')
