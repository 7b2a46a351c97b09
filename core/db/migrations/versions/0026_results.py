"""what broadcasts have achieved, the funnel by day, tests of two wordings, and who was told of an end

Revision ID: 0026
Revises: 0025
"""

import sqlalchemy as sa
from alembic import op

revision = '0026'
down_revision = '0025'
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')
TIME = sa.DateTime(timezone=True)
FIGURES = ('asked', 'seen', 'tapped', 'notified', 'read', 'clicked')
OF_A_REQUEST = sa.text('request_id IS NOT NULL')


def _ref(name: str, target: str, table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([name], [f'{target}.id'], name=op.f(f'fk_{table}_{name}'))


def upgrade() -> None:
    for name in ('told_at', 'seen_at'):
        op.add_column('broadcast', sa.Column(name, TIME, nullable=True))
        op.execute(f"UPDATE broadcast SET {name} = updated_at WHERE state IN ('finished', 'cancelled', 'missed')")
    op.add_column('request', sa.Column('test', sa.String(16), nullable=False, server_default=''))
    op.add_column('request', sa.Column('variant', sa.String(1), nullable=False, server_default=''))
    op.create_index('ix_request_fanpage_id_created_at', 'request', ['fanpage_id', 'created_at'])
    op.drop_index('ix_request_fanpage_id', table_name='request')
    op.create_index(
        'ix_opt_in_request_id', 'opt_in', ['request_id'], sqlite_where=OF_A_REQUEST, postgresql_where=OF_A_REQUEST
    )
    op.create_table(
        'broadcast_result',
        sa.Column('broadcast_id', BIG, nullable=False),
        sa.Column('counted_at', TIME, nullable=False),
        sa.Column('seconds', sa.Float(53), nullable=False),
        sa.Column('people', sa.JSON(), nullable=False),
        sa.Column('links', sa.JSON(), nullable=False),
        sa.Column('hours', sa.JSON(), nullable=False),
        _ref('broadcast_id', 'broadcast', 'broadcast_result'),
        sa.PrimaryKeyConstraint('broadcast_id', name=op.f('pk_broadcast_result')),
    )
    op.create_table(
        'funnel_day',
        sa.Column('id', BIG, nullable=False),
        sa.Column('fanpage_id', BIG, nullable=False),
        sa.Column('topic_id', BIG, nullable=False),
        sa.Column('day', sa.String(10), nullable=False),
        sa.Column('title', sa.String(200), nullable=False),
        sa.Column('entry_kind', sa.String(16), nullable=False),
        sa.Column('entry_value', sa.String(200), nullable=False),
        sa.Column('test', sa.String(16), nullable=False),
        sa.Column('variant', sa.String(1), nullable=False),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in FIGURES),
        _ref('fanpage_id', 'fanpage', 'funnel_day'),
        _ref('topic_id', 'topic', 'funnel_day'),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_funnel_day')),
    )
    op.create_index('ix_funnel_day_fanpage_id', 'funnel_day', ['fanpage_id'])
    op.create_index('ix_funnel_day_topic_id_day', 'funnel_day', ['topic_id', 'day'])
    op.create_table(
        'funnel_count',
        sa.Column('fanpage_id', BIG, nullable=False),
        sa.Column('counted_at', TIME, nullable=False),
        sa.Column('seconds', sa.Float(53), nullable=False),
        _ref('fanpage_id', 'fanpage', 'funnel_count'),
        sa.PrimaryKeyConstraint('fanpage_id', name=op.f('pk_funnel_count')),
    )


def downgrade() -> None:
    for table in ('funnel_count', 'funnel_day', 'broadcast_result'):
        op.drop_table(table)
    op.drop_index('ix_opt_in_request_id', table_name='opt_in')
    op.create_index('ix_request_fanpage_id', 'request', ['fanpage_id'])
    op.drop_index('ix_request_fanpage_id_created_at', table_name='request')
    for table, names in (('request', ('variant', 'test')), ('broadcast', ('seen_at', 'told_at'))):
        for name in names:
            op.drop_column(table, name)
