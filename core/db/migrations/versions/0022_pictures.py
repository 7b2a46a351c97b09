"""pictures that staff uploaded

Revision ID: 0022
Revises: 0021
"""

import sqlalchemy as sa
from alembic import op

revision = '0022'
down_revision = '0021'
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')
TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        'picture',
        sa.Column('id', BIG, primary_key=True),
        sa.Column('fanpage_id', BIG, sa.ForeignKey('fanpage.id'), nullable=False),
        sa.Column('name', sa.String(length=64), nullable=False, unique=True),
        sa.Column('attachment_id', sa.String(length=64), nullable=True),
        sa.Column('attached_at', TIME, nullable=True),
        sa.Column('tried_at', TIME, nullable=True),
        sa.Column('created_at', TIME, nullable=False),
    )
    op.create_index('ix_picture_fanpage_id', 'picture', ['fanpage_id'])
    op.create_index('ix_picture_attachment_id', 'picture', ['attachment_id'])


def downgrade() -> None:
    op.drop_table('picture')
