"""a "no" is remembered; a tap waits for its turn like every event, so nobody asks any more whose events wait

Revision ID: 0016
Revises: 0015
"""

import sqlalchemy as sa
from alembic import op

revision = '0016'
down_revision = '0015'
branch_labels = None
depends_on = None

PENDING = sa.text("state = 'pending'")
BIG = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')

# Whom staff had already withdrawn: from all topics, as it was done then.
BEFORE = """
INSERT INTO withdrawal (fanpage_id, customer_id, source, at, created_at)
SELECT fanpage_id, customer_id, 'staff', max(settled_at), max(settled_at)
FROM opt_in WHERE state = 'withdrawn' AND settled_at IS NOT NULL GROUP BY fanpage_id, customer_id
"""
# What an import brought back since; only a newer tap lifts a withdrawal.
BROUGHT_BACK = """
UPDATE opt_in SET state = 'withdrawn', settled_at = (
    SELECT max(at) FROM withdrawal WHERE withdrawal.customer_id = opt_in.customer_id)
WHERE state IN ('available', 'reserved', 'refused') AND EXISTS (
    SELECT 1 FROM withdrawal WHERE withdrawal.customer_id = opt_in.customer_id AND (
        opt_in.consented_at <= withdrawal.at OR opt_in.source = 'import' AND NOT EXISTS (
            SELECT 1 FROM opt_in AS tap WHERE tap.customer_id = opt_in.customer_id AND tap.source = 'webhook'
            AND tap.topic_id = opt_in.topic_id AND tap.consented_at > withdrawal.at)))
"""


def upgrade() -> None:
    op.create_table('withdrawal',
    sa.Column('id', BIG, nullable=False),
    sa.Column('fanpage_id', BIG, nullable=False),
    sa.Column('customer_id', BIG, nullable=False),
    sa.Column('topic_id', BIG, nullable=True),
    sa.Column('source', sa.String(length=16), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['customer_id'], ['customer.id'], name=op.f('fk_withdrawal_customer_id')),
    sa.ForeignKeyConstraint(['fanpage_id'], ['fanpage.id'], name=op.f('fk_withdrawal_fanpage_id')),
    sa.ForeignKeyConstraint(['topic_id'], ['topic.id'], name=op.f('fk_withdrawal_topic_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_withdrawal'))
    )
    op.create_index('ix_withdrawal_customer_id_at', 'withdrawal', ['customer_id', 'at'], unique=False)
    op.create_index(op.f('ix_withdrawal_fanpage_id'), 'withdrawal', ['fanpage_id'], unique=False)
    op.add_column('fanpage', sa.Column('stop_words', sa.JSON(), nullable=True))
    op.execute(BEFORE)
    op.execute(BROUGHT_BACK)
    op.drop_index('ix_event_page_id_psid_pending', table_name='event')


def downgrade() -> None:
    op.create_index('ix_event_page_id_psid_pending', 'event', ['page_id', 'psid'], unique=False, sqlite_where=PENDING, postgresql_where=PENDING)
    op.drop_column('fanpage', 'stop_words')
    op.drop_table('withdrawal')
