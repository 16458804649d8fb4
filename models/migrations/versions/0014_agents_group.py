"""the agents' group: its cards, and agents' Telegram accounts"""

import sqlalchemy as sa
from alembic import op

revision = '0014'
down_revision = '0013'
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')


def upgrade() -> None:
    op.create_table('group_card',
    sa.Column('id', NUMBER, nullable=False),
    sa.Column('proposal_id', NUMBER, nullable=False),
    sa.Column('chat', sa.String(), nullable=False),
    sa.Column('message', NUMBER, nullable=True),
    sa.Column('shown', sa.String(), nullable=False),
    sa.Column('made_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('due_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('leased_until', sa.DateTime(timezone=True), nullable=True),
    sa.Column('outcome', sa.String(), nullable=False),
    sa.Column('reason', sa.String(), nullable=False),
    sa.ForeignKeyConstraint(['proposal_id'], ['proposal.id'], ),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('proposal_id')
    )
    with op.batch_alter_table('group_card', schema=None) as batch_op:
        batch_op.create_index('ix_group_card_due', ['outcome', 'due_at'], unique=False)

    with op.batch_alter_table('agent', schema=None) as batch_op:
        batch_op.add_column(sa.Column('link_hash', sa.LargeBinary(), nullable=True))
        batch_op.add_column(sa.Column('link_until', sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table('agent', schema=None) as batch_op:
        batch_op.drop_column('link_until')
        batch_op.drop_column('link_hash')
    op.drop_table('group_card')
