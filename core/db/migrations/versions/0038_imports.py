"""imports that the worker runs, and which of them brought an opt-in

Revision ID: 0038
Revises: 0037
"""

import sqlalchemy as sa
from alembic import op

revision = '0038'
down_revision = '0037'
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')
TIME = sa.DateTime(timezone=True)
IMPORTED = sa.text('import_id IS NOT NULL')


def upgrade() -> None:
    op.create_table(
        'opt_in_import',
        sa.Column('id', BIG, nullable=False),
        sa.Column('fanpage_id', BIG, nullable=False),
        sa.Column('topic_id', BIG, nullable=False),
        sa.Column('file_name', sa.String(length=200), nullable=False),
        sa.Column('file_sealed', sa.Text(), nullable=True),
        sa.Column('state', sa.String(length=16), nullable=False),
        sa.Column('operator', sa.String(length=64), nullable=False),
        sa.Column('role', sa.String(length=16), nullable=False),
        sa.Column('rows', sa.Integer(), nullable=False),
        sa.Column('done', sa.Integer(), nullable=False),
        sa.Column('imported', sa.Integer(), nullable=False),
        sa.Column('duplicates', sa.Integer(), nullable=False),
        sa.Column('rejected', sa.JSON(), nullable=False),
        sa.Column('rejected_count', sa.Integer(), nullable=False),
        sa.Column('problem', sa.JSON(), nullable=True),
        sa.Column('created_at', TIME, nullable=False),
        sa.Column('started_at', TIME, nullable=True),
        sa.Column('beat_at', TIME, nullable=True),
        sa.Column('ended_at', TIME, nullable=True),
        sa.Column('undone_by', sa.String(length=64), nullable=False),
        sa.Column('undone_at', TIME, nullable=True),
        sa.ForeignKeyConstraint(['fanpage_id'], ['fanpage.id'], name='fk_opt_in_import_fanpage_id'),
        sa.ForeignKeyConstraint(['topic_id'], ['topic.id'], name='fk_opt_in_import_topic_id'),
        sa.PrimaryKeyConstraint('id', name='pk_opt_in_import'),
    )
    op.create_index('ix_opt_in_import_fanpage_id', 'opt_in_import', ['fanpage_id'])
    op.add_column('opt_in', sa.Column('import_id', BIG, nullable=True))
    op.create_index(
        'ix_opt_in_import_id_state', 'opt_in', ['import_id', 'state'], sqlite_where=IMPORTED, postgresql_where=IMPORTED
    )


def downgrade() -> None:
    op.drop_index('ix_opt_in_import_id_state', table_name='opt_in')
    op.drop_column('opt_in', 'import_id')
    op.drop_table('opt_in_import')
