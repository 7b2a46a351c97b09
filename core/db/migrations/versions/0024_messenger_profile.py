"""a fanpage's greeting, menu and ice breakers

Revision ID: 0024
Revises: 0023
"""

import sqlalchemy as sa
from alembic import op

revision = '0024'
down_revision = '0023'
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')


def upgrade() -> None:
    op.create_table(
        'messenger_profile',
        sa.Column('fanpage_id', BIG, nullable=False),
        sa.Column('content', sa.JSON(), nullable=False),
        sa.Column('version', sa.Integer(), nullable=False),
        sa.Column('updated_by', sa.String(length=64), nullable=False),
        sa.Column('updated_at', sa.DateTime(timezone=True), nullable=False),
        sa.Column('published_version', sa.Integer(), nullable=True),
        sa.Column('published_by', sa.String(length=64), nullable=False),
        sa.Column('published_at', sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(['fanpage_id'], ['fanpage.id'], name=op.f('fk_messenger_profile_fanpage_id')),
        sa.PrimaryKeyConstraint('fanpage_id', name=op.f('pk_messenger_profile')),
    )


def downgrade() -> None:
    op.drop_table('messenger_profile')
