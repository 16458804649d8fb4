"""visits to a provider of mobile identity proof"""

import sqlalchemy as sa
from alembic import op

revision = '0013'
down_revision = '0012'
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')


def upgrade() -> None:
    op.create_table('mobile_proof',
    sa.Column('id', NUMBER, nullable=False),
    sa.Column('request_id', NUMBER, nullable=False),
    sa.Column('nonce_hash', sa.LargeBinary(), nullable=False),
    sa.Column('browser_hash', sa.LargeBinary(), nullable=False),
    sa.Column('carried_hash', sa.LargeBinary(), nullable=True),
    sa.Column('state', sa.String(), nullable=False),
    sa.Column('registry_id', sa.String(), nullable=True),
    sa.Column('subject_id', sa.String(), nullable=True),
    sa.Column('made_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('arrived_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['request_id'], ['request.id'], ),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('carried_hash'),
    sa.UniqueConstraint('nonce_hash')
    )
    with op.batch_alter_table('mobile_proof', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_mobile_proof_request_id'), ['request_id'], unique=False)


def downgrade() -> None:
    op.drop_table('mobile_proof')
