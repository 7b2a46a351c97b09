"""operators limited to some of the fanpages

Revision ID: 0042
Revises: 0041
"""

import sqlalchemy as sa
from alembic import op

revision = '0042'
down_revision = '0041'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('operator', sa.Column('fanpage_ids', sa.JSON(none_as_null=True), nullable=True))


def downgrade() -> None:
    op.drop_column('operator', 'fanpage_ids')
