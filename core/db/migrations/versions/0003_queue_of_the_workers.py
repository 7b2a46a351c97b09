"""queue of the workers, on PostgreSQL: the schema of procrastinate, as the installed package has it

Revision ID: 0003
Revises: 0002
"""

from alembic import op

revision = '0003'
down_revision = '0002'
branch_labels = None
depends_on = None

DROP = r"""
DROP TABLE procrastinate_events, procrastinate_periodic_defers, procrastinate_jobs, procrastinate_workers
    CASCADE; -- functions that give back rows of them go along
DO $$
DECLARE
    made regprocedure;
BEGIN
    FOR made IN
        SELECT oid FROM pg_proc
        WHERE proname LIKE 'procrastinate\_%' AND pronamespace = current_schema()::regnamespace
    LOOP
        EXECUTE 'DROP FUNCTION ' || made;
    END LOOP;
END;
$$;
DROP TYPE procrastinate_job_to_defer_v1;
DROP TYPE procrastinate_job_status;
DROP TYPE procrastinate_job_event_type;
"""


def upgrade() -> None:
    if op.get_bind().dialect.name == 'postgresql':
        from procrastinate.schema import SchemaManager  # installed with PostgreSQL only

        _run(SchemaManager.get_schema())


def downgrade() -> None:
    if op.get_bind().dialect.name == 'postgresql':
        _run(DROP)


def _run(statements: str) -> None:
    # By the driver itself: many statements at once, and neither colons nor percents mean anything.
    op.get_bind().connection.cursor().execute(statements)
