"""a broadcast keeps how its messages leave, and a delivery need not hold an opt-in

Revision ID: 0019
Revises: 0018
"""

import sqlalchemy as sa
from alembic import op

revision = '0019'
down_revision = '0018'
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')


def upgrade() -> None:
    op.add_column('broadcast', sa.Column('sender', sa.String(length=32), nullable=False, server_default='one_time_token'))
    with op.batch_alter_table('delivery') as delivery:
        delivery.alter_column('opt_in_id', existing_type=BIG, nullable=True)


def downgrade() -> None:
    """Deliveries that hold no opt-in are not known there; they go, and their attempts with them."""
    for table, column in (('delivery_try', 'delivery_id'), ('delivery', 'id')):
        op.execute(f'DELETE FROM {table} WHERE {column} IN (SELECT id FROM delivery WHERE opt_in_id IS NULL)')
    with op.batch_alter_table('delivery') as delivery:
        delivery.alter_column('opt_in_id', existing_type=BIG, nullable=False)
    op.drop_column('broadcast', 'sender')
