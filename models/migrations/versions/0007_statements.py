"""what members say against a refused correction"""

import sqlalchemy as sa
from alembic import op

revision = '0007'
down_revision = '0006'
branch_labels = None
depends_on = None


def upgrade() -> None:
    number = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')
    op.create_table('statement',
    sa.Column('id', number, nullable=False),
    sa.Column('request_id', number, nullable=False),
    sa.Column('text', sa.LargeBinary(), nullable=True),
    sa.Column('fields', sa.JSON(), nullable=False),
    sa.Column('door', sa.String(), nullable=False),
    sa.Column('account', sa.String(), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['request_id'], ['request.id'], ),
    sa.PrimaryKeyConstraint('id')
    )
    with op.batch_alter_table('statement', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_statement_request_id'), ['request_id'], unique=False)


def downgrade() -> None:
    op.drop_table('statement')
