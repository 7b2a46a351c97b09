"""operators who sign in at an OpenID provider, and have no password

Revision ID: 0048
Revises: 0047
"""

import sqlalchemy as sa
from alembic import op

revision = '0048'
down_revision = '0047'
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table('operator') as operator:
        operator.add_column(sa.Column('sso_issuer', sa.String(length=255), nullable=True))
        operator.add_column(sa.Column('sso_subject', sa.String(length=255), nullable=True))
        operator.alter_column('password_hash', existing_type=sa.String(length=100), nullable=True)
        operator.create_unique_constraint('uq_operator_sso_issuer_sso_subject', ['sso_issuer', 'sso_subject'])


def downgrade() -> None:
    # Without a password nobody of them gets in; their lines in the activity log go on naming somebody.
    op.execute(
        "UPDATE operator SET password_hash = '-', disabled_at = COALESCE(disabled_at, created_at) "
        'WHERE password_hash IS NULL'
    )
    with op.batch_alter_table('operator') as operator:
        operator.drop_constraint('uq_operator_sso_issuer_sso_subject', type_='unique')
        operator.alter_column('password_hash', existing_type=sa.String(length=100), nullable=False)
        operator.drop_column('sso_subject')
        operator.drop_column('sso_issuer')
