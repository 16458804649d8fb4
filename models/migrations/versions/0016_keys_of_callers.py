"""callers of the gate have keys of their own, two while one is exchanged"""

import sqlalchemy as sa
from alembic import op

revision = '0016'
down_revision = '0015'
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')


def upgrade() -> None:
    op.create_table('gate_key',
    sa.Column('id', NUMBER, nullable=False),
    sa.Column('caller_id', NUMBER, nullable=False),
    sa.Column('key_hash', sa.LargeBinary(), nullable=False),
    sa.Column('made_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('until', sa.DateTime(timezone=True), nullable=True),
    sa.Column('last_used_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['caller_id'], ['gate_caller.id'], ),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('key_hash')
    )
    with op.batch_alter_table('gate_key', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_gate_key_caller_id'), ['caller_id'], unique=False)
    op.execute(
        "INSERT INTO gate_key (caller_id, key_hash, made_at)"
        " SELECT id, key_hash, made_at FROM gate_caller"
    )
    with op.batch_alter_table('gate_caller', schema=None) as batch_op:
        batch_op.drop_index('ix_gate_caller_key_hash')
        batch_op.drop_column('key_hash')


def downgrade() -> None:
    with op.batch_alter_table('gate_caller', schema=None) as batch_op:
        batch_op.add_column(
            sa.Column('key_hash', sa.LargeBinary(), nullable=False, server_default='')
        )
        batch_op.create_index('ix_gate_caller_key_hash', ['key_hash'], unique=False)
    op.execute(
        "UPDATE gate_caller SET key_hash = coalesce((SELECT key_hash FROM gate_key"
        " WHERE caller_id = gate_caller.id ORDER BY id DESC LIMIT 1), key_hash)"
    )
    op.drop_table('gate_key')
