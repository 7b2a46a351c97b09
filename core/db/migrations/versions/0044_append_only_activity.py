"""the activity log is append-only: the database itself refuses to change a line, or to delete a young one

Revision ID: 0044
Revises: 0043
"""

from alembic import op

revision = '0044'
down_revision = '0043'
branch_labels = None
depends_on = None

# Earlier versions could name a customer. Lines that name a topic or a tag do not.
WITHOUT_NAMES = """
    UPDATE activity SET subject = ''
    WHERE verb LIKE 'customer.%' AND verb NOT IN ('customer.tag', 'customer.untag', 'customer.withdraw_topic')
    AND subject NOT LIKE '#%'
"""
# The demo makes up a past: its lines are moved into it.
OF_DEMO = 'EXISTS (SELECT 1 FROM fanpage WHERE id = OLD.fanpage_id AND is_demo)'
ON_SQLITE = [
    f"""CREATE TRIGGER activity_is_never_changed BEFORE UPDATE ON activity WHEN NOT {OF_DEMO}
        BEGIN SELECT RAISE(ABORT, 'append_only'); END""",
    f"""CREATE TRIGGER activity_is_kept BEFORE DELETE ON activity
        WHEN OLD.at > datetime('now', '-90 days') AND NOT {OF_DEMO}
        BEGIN SELECT RAISE(ABORT, 'append_only'); END""",
]
ON_POSTGRESQL = [
    f"""CREATE FUNCTION refuse_activity_change() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF {OF_DEMO} THEN
                NULL;
            ELSIF TG_OP = 'UPDATE' OR OLD.at > now() - interval '90 days' THEN
                RAISE EXCEPTION 'append_only: lines of the activity log are not changed';
            END IF;
            IF TG_OP = 'UPDATE' THEN RETURN NEW; END IF;
            RETURN OLD;
        END $$""",
    """CREATE TRIGGER activity_is_append_only BEFORE UPDATE OR DELETE ON activity
        FOR EACH ROW EXECUTE FUNCTION refuse_activity_change()""",
]


def upgrade() -> None:
    op.execute(WITHOUT_NAMES)
    for statement in ON_SQLITE if op.get_bind().dialect.name == 'sqlite' else ON_POSTGRESQL:
        op.execute(statement)


def downgrade() -> None:
    if op.get_bind().dialect.name == 'sqlite':
        op.execute('DROP TRIGGER activity_is_kept')
        op.execute('DROP TRIGGER activity_is_never_changed')
    else:
        op.execute('DROP TRIGGER activity_is_append_only ON activity')
        op.execute('DROP FUNCTION refuse_activity_change()')
