"""copies that only a person can correct"""

import sqlalchemy as sa
from alembic import op

revision = '0004'
down_revision = '0003'
branch_labels = None
depends_on = None


def upgrade() -> None:
    number = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')
    op.create_table('manual_copy',
    sa.Column('id', number, nullable=False),
    sa.Column('request_id', number, nullable=False),
    sa.Column('proposal_id', number, nullable=False),
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('field', sa.String(), nullable=False),
    sa.Column('place', sa.String(), nullable=False),
    sa.Column('labels', sa.JSON(), nullable=False),
    sa.Column('made_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('done_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('done_by', number, nullable=True),
    sa.ForeignKeyConstraint(['done_by'], ['agent.id'], ),
    sa.ForeignKeyConstraint(['proposal_id'], ['proposal.id'], ),
    sa.ForeignKeyConstraint(['request_id'], ['request.id'], ),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('proposal_id', 'number')
    )
    with op.batch_alter_table('manual_copy', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_manual_copy_request_id'), ['request_id'], unique=False)


def downgrade() -> None:
    op.drop_table('manual_copy')
