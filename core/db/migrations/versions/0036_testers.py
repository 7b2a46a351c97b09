"""testers, and what was sent to them

Revision ID: 0036
Revises: 0035
"""

import sqlalchemy as sa
from alembic import op

revision = '0036'
down_revision = '0035'
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')
TIME = sa.DateTime(timezone=True)
OF_TESTS = sa.text('tester_message_id IS NOT NULL')


def upgrade() -> None:
    op.create_table(
        'tester',
        sa.Column('id', BIG, nullable=False),
        sa.Column('fanpage_id', BIG, nullable=False),
        sa.Column('operator_id', BIG, nullable=True),
        sa.Column('name', sa.String(length=64), nullable=False),
        sa.Column('code', sa.String(length=16), nullable=True),
        sa.Column('code_expires_at', TIME, nullable=True),
        sa.Column('customer_id', BIG, nullable=True),
        sa.Column('joined_at', TIME, nullable=True),
        sa.Column('created_at', TIME, nullable=False),
        sa.ForeignKeyConstraint(['fanpage_id'], ['fanpage.id'], name='fk_tester_fanpage_id'),
        sa.ForeignKeyConstraint(['operator_id'], ['operator.id'], name='fk_tester_operator_id'),
        sa.ForeignKeyConstraint(['customer_id'], ['customer.id'], name='fk_tester_customer_id'),
        sa.PrimaryKeyConstraint('id', name='pk_tester'),
        sa.UniqueConstraint('code', name='uq_tester_code'),
        sa.UniqueConstraint('customer_id', name='uq_tester_customer_id'),
    )
    op.create_index('ix_tester_fanpage_id', 'tester', ['fanpage_id'])
    op.create_index('ix_tester_operator_id', 'tester', ['operator_id'])
    op.create_table(
        'tester_message',
        sa.Column('id', BIG, nullable=False),
        sa.Column('fanpage_id', BIG, nullable=False),
        sa.Column('customer_id', BIG, nullable=False),
        sa.Column('about', sa.String(length=16), nullable=False),
        sa.Column('about_id', BIG, nullable=False),
        sa.Column('sent_by', sa.String(length=64), nullable=False),
        sa.Column('after_texts', sa.JSON(), nullable=False),
        sa.Column('tapped_at', TIME, nullable=True),
        sa.Column('created_at', TIME, nullable=False),
        sa.ForeignKeyConstraint(['fanpage_id'], ['fanpage.id'], name='fk_tester_message_fanpage_id'),
        sa.ForeignKeyConstraint(['customer_id'], ['customer.id'], name='fk_tester_message_customer_id'),
        sa.PrimaryKeyConstraint('id', name='pk_tester_message'),
    )
    op.create_index('ix_tester_message_fanpage_id', 'tester_message', ['fanpage_id'])
    op.create_index('ix_tester_message_customer_id', 'tester_message', ['customer_id'])
    op.create_index('ix_tester_message_about_about_id', 'tester_message', ['about', 'about_id'])
    op.add_column('reply', sa.Column('tester_message_id', BIG, nullable=True))
    op.create_index(
        'ix_reply_tester_message_id',
        'reply',
        ['tester_message_id'],
        sqlite_where=OF_TESTS,
        postgresql_where=OF_TESTS,
    )


def downgrade() -> None:
    op.drop_index('ix_reply_tester_message_id', table_name='reply')
    op.drop_column('reply', 'tester_message_id')
    op.drop_table('tester_message')
    op.drop_table('tester')
