"""why a file is kept apart, and what the scanner found"""

import sqlalchemy as sa
from alembic import op

revision = '0009'
down_revision = '0008'
branch_labels = None
depends_on = None

TEXT = {'nullable': False, 'server_default': ''}


def upgrade() -> None:
    with op.batch_alter_table('message_file', schema=None) as batch_op:
        batch_op.add_column(sa.Column('apart', sa.JSON(), nullable=False, server_default='[]'))
        batch_op.add_column(sa.Column('scan', sa.String(), **TEXT))
        batch_op.add_column(sa.Column('finding', sa.String(), **TEXT))
        batch_op.add_column(sa.Column('scan_tries', sa.Integer(), nullable=False, server_default='0'))
        batch_op.create_index('ix_message_file_scan', ['scan', 'id'], unique=False)
    with op.batch_alter_table('conversation', schema=None) as batch_op:
        batch_op.add_column(
            sa.Column('told_files', sa.Boolean(), nullable=False, server_default=sa.false())
        )


def downgrade() -> None:
    with op.batch_alter_table('conversation', schema=None) as batch_op:
        batch_op.drop_column('told_files')
    with op.batch_alter_table('message_file', schema=None) as batch_op:
        batch_op.drop_index('ix_message_file_scan')
        for name in ('scan_tries', 'finding', 'scan', 'apart'):
            batch_op.drop_column(name)
