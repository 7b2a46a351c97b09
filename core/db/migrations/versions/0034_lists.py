"""lists that are sorted and searched in an index, with columns that each user chooses

Revision ID: 0034
Revises: 0033
"""

import sqlalchemy as sa
from alembic import op

revision = '0034'
down_revision = '0033'
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')
INDEXES = {
    'ix_customer_fanpage_id_search_text_id': ('customer', ['fanpage_id', 'search_text', 'id']),
    'ix_opt_in_fanpage_id_expires_at_id': ('opt_in', ['fanpage_id', 'expires_at', 'id']),
}


def upgrade() -> None:
    op.create_table(
        'list_columns',
        sa.Column('operator_id', BIG, nullable=False),
        sa.Column('list_name', sa.String(length=32), nullable=False),
        sa.Column('columns', sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(['operator_id'], ['operator.id'], name='fk_list_columns_operator_id'),
        sa.PrimaryKeyConstraint('operator_id', 'list_name', name='pk_list_columns'),
    )
    for name, (table, columns) in INDEXES.items():
        op.create_index(name, table, columns)


def downgrade() -> None:
    for name, (table, _columns) in INDEXES.items():
        op.drop_index(name, table_name=table)
    op.drop_table('list_columns')
