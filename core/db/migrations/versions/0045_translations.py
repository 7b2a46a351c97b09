"""messages in further languages

Revision ID: 0045
Revises: 0044
"""

import sqlalchemy as sa
from alembic import op

revision = '0045'
down_revision = '0044'
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')


def upgrade() -> None:
    op.add_column('message', sa.Column('translation_of_id', BIG, nullable=True))
    op.add_column('message', sa.Column('language', sa.String(length=8), nullable=True))
    columns = ['translation_of_id', 'language']
    op.create_index('uq_message_translation_of_id_language', 'message', columns, unique=True)
    op.add_column('reply', sa.Column('begins_with', sa.JSON(), nullable=True))


def downgrade() -> None:
    op.drop_column('reply', 'begins_with')
    op.drop_index('uq_message_translation_of_id_language', table_name='message')
    op.drop_column('message', 'language')
    op.drop_column('message', 'translation_of_id')
