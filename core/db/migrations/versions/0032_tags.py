"""tags of customers

Revision ID: 0032
Revises: 0031
"""

import sqlalchemy as sa
from alembic import op

revision = '0032'
down_revision = '0031'
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')
TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        'tag',
        sa.Column('id', BIG, nullable=False),
        sa.Column('fanpage_id', BIG, nullable=False),
        sa.Column('name', sa.String(length=40), nullable=False),
        sa.Column('key', sa.String(length=80), nullable=False),
        sa.Column('created_at', TIME, nullable=False),
        sa.ForeignKeyConstraint(['fanpage_id'], ['fanpage.id'], name='fk_tag_fanpage_id'),
        sa.PrimaryKeyConstraint('id', name='pk_tag'),
        sa.UniqueConstraint('fanpage_id', 'key', name='uq_tag_fanpage_id_key'),
    )
    op.create_table(
        'customer_tag',
        sa.Column('customer_id', BIG, nullable=False),
        sa.Column('tag_id', BIG, nullable=False),
        sa.Column('created_at', TIME, nullable=False),
        sa.ForeignKeyConstraint(['customer_id'], ['customer.id'], name='fk_customer_tag_customer_id'),
        sa.ForeignKeyConstraint(['tag_id'], ['tag.id'], name='fk_customer_tag_tag_id'),
        sa.PrimaryKeyConstraint('customer_id', 'tag_id', name='pk_customer_tag'),
    )
    op.create_index('ix_customer_tag_tag_id_customer_id', 'customer_tag', ['tag_id', 'customer_id'])


def downgrade() -> None:
    op.drop_table('customer_tag')
    op.drop_table('tag')
