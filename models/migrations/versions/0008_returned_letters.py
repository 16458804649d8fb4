"""letters that came back, and addresses at which none arrives"""

import sqlalchemy as sa
from alembic import op

revision = '0008'
down_revision = '0007'
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')
PROOFS = ('outbox', 'notice_recipient')


def upgrade() -> None:
    op.create_table('returned_letter',
    sa.Column('id', NUMBER, nullable=False),
    sa.Column('kind', sa.String(), nullable=False),
    sa.Column('rfc_message_id', sa.String(), nullable=False),
    sa.Column('outbox_id', NUMBER, nullable=True),
    sa.Column('notice_recipient_id', NUMBER, nullable=True),
    sa.Column('request_id', NUMBER, nullable=True),
    sa.Column('conversation_id', NUMBER, nullable=True),
    sa.Column('report_id', NUMBER, nullable=True),
    sa.Column('registry_id', sa.String(), nullable=True),
    sa.Column('subject_id', sa.String(), nullable=True),
    sa.Column('letter', sa.String(), nullable=False),
    sa.Column('legal', sa.Boolean(), nullable=False),
    sa.Column('told_by', sa.String(), nullable=False),
    sa.Column('action', sa.String(), nullable=False),
    sa.Column('status', sa.String(), nullable=False),
    sa.Column('cause', sa.String(), nullable=False),
    sa.Column('permanent', sa.Boolean(), nullable=False),
    sa.Column('strike', sa.Boolean(), nullable=False),
    sa.Column('contact_index', sa.LargeBinary(), nullable=True),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('state', sa.String(), nullable=False),
    sa.Column('resent_id', NUMBER, nullable=True),
    sa.Column('resent_by', sa.String(), nullable=False),
    sa.Column('resent_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('how', sa.String(), nullable=False),
    sa.Column('key_id', sa.String(), nullable=False),
    sa.Column('note', sa.LargeBinary(), nullable=True),
    sa.Column('closed_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('closed_by', NUMBER, nullable=True),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('rfc_message_id', 'kind')
    )
    with op.batch_alter_table('returned_letter', schema=None) as batch_op:
        batch_op.create_index('ix_returned_letter_list', ['state', 'legal', 'at'], unique=False)
        batch_op.create_index('ix_returned_letter_contact', ['contact_index', 'at'], unique=False)
        for column in ('outbox_id', 'notice_recipient_id', 'request_id', 'subject_id', 'closed_at'):
            batch_op.create_index(batch_op.f(f'ix_returned_letter_{column}'), [column], unique=False)

    op.create_table('dead_address',
    sa.Column('id', NUMBER, nullable=False),
    sa.Column('contact_kind', sa.String(), nullable=False),
    sa.Column('contact_index', sa.LargeBinary(), nullable=False),
    sa.Column('cause', sa.String(), nullable=False),
    sa.Column('status', sa.String(), nullable=False),
    sa.Column('since', sa.DateTime(timezone=True), nullable=False),
    sa.Column('cleared_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('cleared_by', sa.String(), nullable=False),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('contact_kind', 'contact_index')
    )
    with op.batch_alter_table('dead_address', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_dead_address_cleared_at'), ['cleared_at'], unique=False)

    for table in PROOFS:
        with op.batch_alter_table(table, schema=None) as batch_op:
            batch_op.add_column(sa.Column('contact_index', sa.LargeBinary(), nullable=True))
            for name in ('returned', 'returned_code', 'returned_cause'):
                batch_op.add_column(sa.Column(name, sa.String(), nullable=False, server_default=''))
            batch_op.add_column(sa.Column('returned_at', sa.DateTime(timezone=True), nullable=True))
            batch_op.create_index(batch_op.f(f'ix_{table}_contact_index'), ['contact_index'], unique=False)


def downgrade() -> None:
    for table in PROOFS:
        with op.batch_alter_table(table, schema=None) as batch_op:
            batch_op.drop_index(batch_op.f(f'ix_{table}_contact_index'))
            for name in ('returned_at', 'returned_cause', 'returned_code', 'returned', 'contact_index'):
                batch_op.drop_column(name)
    op.drop_table('dead_address')
    op.drop_table('returned_letter')
