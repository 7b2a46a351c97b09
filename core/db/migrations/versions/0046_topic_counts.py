"""topics as the worker counts them, and indexes that find the few among many customers and requests

Revision ID: 0046
Revises: 0045
"""

import sqlalchemy as sa
from alembic import op

revision = '0046'
down_revision = '0045'
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')
FEW = {'ix_customer_unreachable': 'unreachable_at', 'ix_customer_other_app': 'other_app_at'}


def _index(name: str, columns: list[str], where: str) -> None:
    given = sa.text(f'{where} IS NOT NULL')
    op.create_index(name, 'customer', columns, sqlite_where=given, postgresql_where=given)


def upgrade() -> None:
    op.create_table(
        'topic_count',
        sa.Column('topic_id', BIG, nullable=False),
        sa.Column('counted_at', sa.DateTime(timezone=True), nullable=False),
        sa.Column('seconds', sa.Float(53), nullable=False),
        sa.Column('figures', sa.JSON(), nullable=False),
        sa.Column('reasons', sa.JSON(), nullable=False),
        sa.Column('in_window', sa.Integer(), nullable=False),
        sa.Column('opt_ins', sa.Integer(), nullable=False),
        sa.Column('promises', sa.JSON(), nullable=False),
        sa.Column('need_asking', sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(['topic_id'], ['topic.id'], name=op.f('fk_topic_count_topic_id')),
        sa.PrimaryKeyConstraint('topic_id', name=op.f('pk_topic_count')),
    )
    for name, column in FEW.items():
        op.drop_index(name, table_name='customer')
        _index(name, ['fanpage_id', column], column)
    _index('ix_customer_window', ['fanpage_id', 'window_closes_at', 'id'], 'window_closes_at')
    op.create_index(
        'ix_request_topic_id_entry_kind_created_at', 'request', ['topic_id', 'entry_kind', 'created_at']
    )
    op.drop_index('ix_request_topic_id', table_name='request')


def downgrade() -> None:
    op.create_index('ix_request_topic_id', 'request', ['topic_id'])
    op.drop_index('ix_request_topic_id_entry_kind_created_at', table_name='request')
    op.drop_index('ix_customer_window', table_name='customer')
    for name, column in FEW.items():
        op.drop_index(name, table_name='customer')
        _index(name, ['fanpage_id'], column)
    op.drop_table('topic_count')
