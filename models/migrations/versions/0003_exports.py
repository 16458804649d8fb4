"""exports in parts, and receipts of their opening"""

import sqlalchemy as sa
from alembic import op

revision = '0003'
down_revision = '0002'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('export_part',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('export_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('table', sa.Integer(), nullable=False),
    sa.Column('first', sa.Integer(), nullable=False),
    sa.Column('rows', sa.Integer(), nullable=False),
    sa.Column('content', sa.LargeBinary(), nullable=True),
    sa.ForeignKeyConstraint(['export_id'], ['export.id'], ),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('export_id', 'table', 'first')
    )
    with op.batch_alter_table('export', schema=None) as batch_op:
        batch_op.add_column(sa.Column('state', sa.String(), nullable=False, server_default='ready'))
        batch_op.add_column(sa.Column('counts', sa.JSON(), nullable=False, server_default=sa.text("'{}'")))
        batch_op.add_column(sa.Column('opened_at', sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column('receipts', sa.JSON(), nullable=False, server_default=sa.text("'{}'")))
        batch_op.create_index(batch_op.f('ix_export_expires_at'), ['expires_at'], unique=False)
    with op.batch_alter_table('link', schema=None) as batch_op:
        batch_op.add_column(sa.Column('passwords', sa.Integer(), nullable=False, server_default='0'))


def downgrade() -> None:
    with op.batch_alter_table('link', schema=None) as batch_op:
        batch_op.drop_column('passwords')
    with op.batch_alter_table('export', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_export_expires_at'))
        batch_op.drop_column('receipts')
        batch_op.drop_column('opened_at')
        batch_op.drop_column('counts')
        batch_op.drop_column('state')
    op.drop_table('export_part')
