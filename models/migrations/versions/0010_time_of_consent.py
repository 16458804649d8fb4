"""whether a line of the consent ledger knows when the consent was given"""

import sqlalchemy as sa
from alembic import op

revision = '0010'
down_revision = '0009'
branch_labels = None
depends_on = None

# What was read in without a time stood with the moment at which it was read.
READ_THEN = """
UPDATE consent_entry SET at_known = :no WHERE door = 'registry'
AND substr(CAST(at AS TEXT), 1, 19) = substr(CAST(noted_at AS TEXT), 1, 19)
"""


def upgrade() -> None:
    with op.batch_alter_table('consent_entry', schema=None) as batch_op:
        batch_op.add_column(
            sa.Column('at_known', sa.Boolean(), nullable=False, server_default=sa.true())
        )
    op.get_bind().execute(sa.text(READ_THEN), {'no': False})


def downgrade() -> None:
    with op.batch_alter_table('consent_entry', schema=None) as batch_op:
        batch_op.drop_column('at_known')
