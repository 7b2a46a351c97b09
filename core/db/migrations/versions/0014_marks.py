"""marks on customers carry their evidence, and are firm only after a later acceptance of the fanpage

Revision ID: 0014
Revises: 0013
"""

import sqlalchemy as sa
from alembic import op

revision = '0014'
down_revision = '0013'
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')
TIME = sa.DateTime(timezone=True)
COLUMNS = (
    ('unreachable_detail', sa.Text()),
    ('unreachable_delivery_id', BIG),
    ('unreachable_firm_at', TIME),
    ('reachable_at', TIME),
)
TENTATIVE = 'unreachable_at IS NOT NULL AND unreachable_firm_at IS NULL'

# Which delivery was refused when the mark was made; a mark of a reply finds none.
EVIDENCE = """
UPDATE customer SET unreachable_delivery_id = (
    SELECT max(delivery.id) FROM delivery
    WHERE delivery.customer_id = customer.id AND delivery.state = 'failed'
      AND delivery.settled_at = customer.unreachable_at AND delivery.reason = customer.unreachable_code
) WHERE unreachable_at IS NOT NULL
"""
DETAIL = """
UPDATE customer SET unreachable_detail = (
    SELECT delivery.detail FROM delivery WHERE delivery.id = customer.unreachable_delivery_id
) WHERE unreachable_delivery_id IS NOT NULL
"""
# The latest call of each fanpage that was taken makes firm what was refused before it.
TAKEN = """
SELECT broadcast.fanpage_id, max(delivery.claimed_at)
FROM delivery JOIN broadcast ON broadcast.id = delivery.broadcast_id
WHERE delivery.state = 'sent' AND delivery.mid IS NOT NULL
GROUP BY broadcast.fanpage_id
UNION ALL
SELECT reply.fanpage_id, max(reply.claimed_at) FROM reply
WHERE reply.state = 'sent' AND reply.mid IS NOT NULL
GROUP BY reply.fanpage_id
"""
FIRM = """
UPDATE customer SET unreachable_firm_at = :at
WHERE fanpage_id = :fanpage_id AND unreachable_at < :at AND unreachable_firm_at IS NULL
"""


def upgrade() -> None:
    for name, type_ in COLUMNS:
        op.add_column('customer', sa.Column(name, type_, nullable=True))
    _fill()
    op.create_index(
        'ix_customer_tentative',
        'customer',
        ['unreachable_at'],
        sqlite_where=sa.text(TENTATIVE),
        postgresql_where=sa.text(TENTATIVE),
    )


def _fill() -> None:
    connection = op.get_bind()
    if not connection.execute(sa.text('SELECT 1 FROM customer WHERE unreachable_at IS NOT NULL LIMIT 1')).first():
        return
    connection.execute(sa.text(EVIDENCE))
    connection.execute(sa.text(DETAIL))
    for fanpage_id, at in connection.execute(sa.text(TAKEN)).all():
        connection.execute(sa.text(FIRM), {'fanpage_id': fanpage_id, 'at': at})


def downgrade() -> None:
    op.drop_index('ix_customer_tentative', table_name='customer')
    for name, _type in reversed(COLUMNS):
        op.drop_column('customer', name)
