"""fewer indexes of a delivery: a launch of a million writes each of them a million times

Revision ID: 0010
Revises: 0009
"""

from alembic import op

revision = '0010'
down_revision = '0009'
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table('delivery') as delivery:
        delivery.drop_constraint('uq_delivery_broadcast_id_opt_in_id', type_='unique')
        delivery.drop_constraint('uq_delivery_broadcast_id_customer_id', type_='unique')
        delivery.create_unique_constraint('uq_delivery_customer_id_broadcast_id', ['customer_id', 'broadcast_id'])
        delivery.drop_index('ix_delivery_customer_id')


def downgrade() -> None:
    with op.batch_alter_table('delivery') as delivery:
        delivery.drop_constraint('uq_delivery_customer_id_broadcast_id', type_='unique')
        delivery.create_unique_constraint('uq_delivery_broadcast_id_customer_id', ['broadcast_id', 'customer_id'])
        delivery.create_unique_constraint('uq_delivery_broadcast_id_opt_in_id', ['broadcast_id', 'opt_in_id'])
        delivery.create_index('ix_delivery_customer_id', ['customer_id'])
