"""mails that answer a letter to somebody else"""

import sqlalchemy as sa
from alembic import op

revision = '0006'
down_revision = '0005'
branch_labels = None
depends_on = None


def upgrade() -> None:
    number = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')
    with op.batch_alter_table('message', schema=None) as batch_op:
        batch_op.add_column(sa.Column('beside_id', number, nullable=True))
        batch_op.create_index(batch_op.f('ix_message_beside_id'), ['beside_id'], unique=False)


def downgrade() -> None:
    with op.batch_alter_table('message', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_message_beside_id'))
        batch_op.drop_column('beside_id')
