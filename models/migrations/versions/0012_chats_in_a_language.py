"""a chat's language by choice, and when a chat heard at half time that its request is still open"""

import sqlalchemy as sa
from alembic import op

revision = '0012'
down_revision = '0011'
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table('conversation', schema=None) as batch_op:
        batch_op.add_column(
            sa.Column('language_chosen', sa.Boolean(), nullable=False, server_default=sa.false())
        )
    with op.batch_alter_table('request', schema=None) as batch_op:
        batch_op.add_column(sa.Column('halfway_at', sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table('request', schema=None) as batch_op:
        batch_op.drop_column('halfway_at')
    with op.batch_alter_table('conversation', schema=None) as batch_op:
        batch_op.drop_column('language_chosen')
