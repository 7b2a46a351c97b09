"""queue of the workers, on PostgreSQL: the schema of procrastinate 3.10 as it ships

Revision ID: 0003
Revises: 0002
"""

from pathlib import Path

from alembic import op

revision = '0003'
down_revision = '0002'
branch_labels = None
depends_on = None

SQL = Path(__file__).resolve().parents[1] / 'sql'


def upgrade() -> None:
    _run('procrastinate_3_10.sql')


def downgrade() -> None:
    _run('procrastinate_3_10_drop.sql')


def _run(file: str) -> None:
    connection = op.get_bind()
    if connection.dialect.name == 'postgresql':
        # By the driver itself: many statements at once, and neither colons nor percents mean anything.
        connection.connection.cursor().execute((SQL / file).read_text('utf-8'))
