"""who acts for a member, within which scope, and which requests were opened under it"""

import sqlalchemy as sa
from alembic import op

revision = '0015'
down_revision = '0014'
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')


def upgrade() -> None:
    op.create_table('mandate',
    sa.Column('id', NUMBER, nullable=False),
    sa.Column('conversation_id', NUMBER, nullable=False),
    sa.Column('request_id', NUMBER, nullable=False),
    sa.Column('kind', sa.String(), nullable=False),
    sa.Column('proxy', sa.LargeBinary(), nullable=True),
    sa.Column('registry_id', sa.String(), nullable=False),
    sa.Column('subject_id', sa.String(), nullable=False),
    sa.Column('rights', sa.JSON(), nullable=False),
    sa.Column('fields', sa.JSON(), nullable=False),
    sa.Column('expires_on', sa.String(), nullable=False),
    sa.Column('file_id', NUMBER, nullable=True),
    sa.Column('consent_by', sa.LargeBinary(), nullable=True),
    sa.Column('consent_how', sa.String(), nullable=False),
    sa.Column('consent_on', sa.String(), nullable=False),
    sa.Column('contact_checked', sa.String(), nullable=False),
    sa.Column('state', sa.String(), nullable=False),
    sa.Column('recorded_by', NUMBER, nullable=False),
    sa.Column('recorded_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('decided_by', NUMBER, nullable=True),
    sa.Column('decided_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('reason', sa.LargeBinary(), nullable=True),
    sa.Column('told', sa.String(), nullable=False),
    sa.Column('stopped_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('stopped_by', sa.String(), nullable=False),
    sa.Column('paper_gone_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['conversation_id'], ['conversation.id'], ),
    sa.ForeignKeyConstraint(['decided_by'], ['agent.id'], ),
    sa.ForeignKeyConstraint(['recorded_by'], ['agent.id'], ),
    sa.PrimaryKeyConstraint('id')
    )
    with op.batch_alter_table('mandate', schema=None) as batch_op:
        for column in ('conversation_id', 'request_id', 'subject_id', 'state'):
            batch_op.create_index(batch_op.f(f'ix_mandate_{column}'), [column], unique=False)
    op.create_table('mandate_use',
    sa.Column('mandate_id', NUMBER, nullable=False),
    sa.Column('request_id', NUMBER, nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['mandate_id'], ['mandate.id'], ),
    sa.ForeignKeyConstraint(['request_id'], ['request.id'], ),
    sa.PrimaryKeyConstraint('mandate_id', 'request_id')
    )
    with op.batch_alter_table('mandate_use', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_mandate_use_request_id'), ['request_id'], unique=False)


def downgrade() -> None:
    op.drop_table('mandate_use')
    op.drop_table('mandate')
