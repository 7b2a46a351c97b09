"""limits of how often customers are asked and written to, asking again, and the bot's silence

Revision ID: 0029
Revises: 0028
"""

import sqlalchemy as sa
from alembic import op

revision = '0029'
down_revision = '0028'
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')
TIME = sa.DateTime(timezone=True)
LIMITS = {'ask_cool_down_days': '7', 'asks_a_day': '2', 'broadcasts_a_week': '2', 'silent_hours': '12'}


def upgrade() -> None:
    for name, usual in LIMITS.items():
        op.add_column('fanpage', sa.Column(name, sa.Integer(), nullable=False, server_default=usual))
    op.add_column('fanpage', sa.Column('app_id', sa.String(length=64), nullable=True))
    op.add_column('fanpage', sa.Column('asks_holders', sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column('topic', sa.Column('asks_again', sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column('topic', sa.Column('ask_message_id', BIG, nullable=True))
    for name in ('colleague_at', 'silence_ended_at'):
        op.add_column('customer', sa.Column(name, TIME, nullable=True))
    op.add_column('reply', sa.Column('begins_answer', sa.Boolean(), nullable=False, server_default=sa.false()))
    op.create_table(
        'withheld_request',
        sa.Column('id', BIG, nullable=False),
        sa.Column('fanpage_id', BIG, nullable=False),
        sa.Column('customer_id', BIG, nullable=False),
        sa.Column('topic_id', BIG, nullable=False),
        sa.Column('day', sa.String(length=10), nullable=False),
        sa.Column('reason', sa.String(length=16), nullable=False),
        sa.Column('entry_kind', sa.String(length=16), nullable=False),
        sa.Column('times', sa.Integer(), nullable=False),
        sa.Column('last_at', TIME, nullable=False),
        sa.ForeignKeyConstraint(['fanpage_id'], ['fanpage.id'], name='fk_withheld_request_fanpage_id'),
        sa.ForeignKeyConstraint(['customer_id'], ['customer.id'], name='fk_withheld_request_customer_id'),
        sa.ForeignKeyConstraint(['topic_id'], ['topic.id'], name='fk_withheld_request_topic_id'),
        sa.PrimaryKeyConstraint('id', name='pk_withheld_request'),
        sa.UniqueConstraint('customer_id', 'topic_id', 'day', 'reason', 'entry_kind', name='uq_withheld_request_customer_id_topic_id_day_reason_entry_kind'),
    )
    op.create_index('ix_withheld_request_fanpage_id', 'withheld_request', ['fanpage_id'])
    op.create_index('ix_withheld_request_topic_id', 'withheld_request', ['topic_id'])


def downgrade() -> None:
    op.drop_table('withheld_request')
    op.drop_column('reply', 'begins_answer')
    for name in ('silence_ended_at', 'colleague_at'):
        op.drop_column('customer', name)
    for name in ('ask_message_id', 'asks_again'):
        op.drop_column('topic', name)
    for name in ('asks_holders', 'app_id', *LIMITS):
        op.drop_column('fanpage', name)
