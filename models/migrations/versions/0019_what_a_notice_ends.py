"""what a notice to a recipient ends, and in which order it came"""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("telling", schema=None) as batch_op:
        batch_op.add_column(sa.Column("corrected", sa.JSON(), nullable=False, server_default="[]"))
        batch_op.add_column(sa.Column("known_as", sa.JSON(), nullable=False, server_default="[]"))
        batch_op.add_column(sa.Column("sequence", sa.Integer(), nullable=False, server_default="1"))
    # What is a default here is the table's own in the code.
    with op.batch_alter_table("telling", schema=None) as batch_op:
        batch_op.alter_column("corrected", server_default=None)
        batch_op.alter_column("known_as", server_default=None)
        batch_op.alter_column("sequence", server_default=None)


def downgrade() -> None:
    with op.batch_alter_table("telling", schema=None) as batch_op:
        batch_op.drop_column("sequence")
        batch_op.drop_column("known_as")
        batch_op.drop_column("corrected")
