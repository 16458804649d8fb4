"""what a client that only observes let through"""

import sqlalchemy as sa
from alembic import op

revision = '0020'
down_revision = '0019'
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table('gate_use') as batch_op:
        batch_op.add_column(sa.Column('unenforced', sa.Integer(), nullable=False, server_default='0'))


def downgrade() -> None:
    with op.batch_alter_table('gate_use') as batch_op:
        batch_op.drop_column('unenforced')
