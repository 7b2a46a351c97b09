"""numbers of deleted drafts, messages and templates are not given again

Revision ID: 0051
Revises: 0050
"""

from alembic import op

revision = '0051'
down_revision = '0050'
branch_labels = None
depends_on = None

IDS_ARE_NEVER_REUSED = ('broadcast', 'message', 'template')


def upgrade() -> None:
    _make_anew(sqlite_autoincrement=True)


def downgrade() -> None:
    _make_anew(sqlite_autoincrement=False)


def _make_anew(*, sqlite_autoincrement: bool) -> None:
    """PostgreSQL never gives a number twice."""
    if op.get_bind().dialect.name == 'sqlite':
        for name in IDS_ARE_NEVER_REUSED:
            kwargs = {'sqlite_autoincrement': sqlite_autoincrement}
            with op.batch_alter_table(name, recreate='always', table_kwargs=kwargs):
                pass
