"""people may be forgotten: what counts stays without them

Revision ID: 0017
Revises: 0016
"""

import sqlalchemy as sa
from alembic import op

revision = '0017'
down_revision = '0016'
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')
OUTLIVES_A_CUSTOMER = ('request', 'opt_in', 'delivery')
IDS_ARE_NEVER_REUSED = ('customer', 'reply')


def upgrade() -> None:
    op.create_table('forgotten',
    sa.Column('hash', sa.String(length=64), nullable=False),
    sa.Column('forgotten_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('hash', name=op.f('pk_forgotten'))
    )
    op.create_table('forgotten_key',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('sealed', sa.Text(), nullable=False),
    sa.Column('sealed_by_app', sa.Text(), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_forgotten_key'))
    )
    _make_anew(sqlite_autoincrement=True)
    for name in OUTLIVES_A_CUSTOMER:
        with op.batch_alter_table(name) as table:
            table.alter_column('customer_id', existing_type=BIG, nullable=True)


def downgrade() -> None:
    for name in reversed(OUTLIVES_A_CUSTOMER):
        op.execute(f'DELETE FROM {name} WHERE customer_id IS NULL')
        with op.batch_alter_table(name) as table:
            table.alter_column('customer_id', existing_type=BIG, nullable=False)
    _make_anew(sqlite_autoincrement=False)
    op.drop_table('forgotten_key')
    op.drop_table('forgotten')


def _make_anew(*, sqlite_autoincrement: bool) -> None:
    """PostgreSQL never gives a number twice."""
    if op.get_bind().dialect.name == 'sqlite':
        for name in IDS_ARE_NEVER_REUSED:
            kwargs = {'sqlite_autoincrement': sqlite_autoincrement}
            with op.batch_alter_table(name, recreate='always', table_kwargs=kwargs):
                pass
