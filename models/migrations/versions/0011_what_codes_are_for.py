"""what a code is for, who asked for it, and where it went"""

import sqlalchemy as sa
from alembic import op

revision = '0011'
down_revision = '0010'
branch_labels = None
depends_on = None

TEXT = {'nullable': False, 'server_default': ''}


def upgrade() -> None:
    number = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')
    with op.batch_alter_table('challenge', schema=None) as batch_op:
        batch_op.add_column(sa.Column('purpose', sa.String(), nullable=False, server_default='identity'))
        batch_op.add_column(sa.Column('asked', sa.String(), **TEXT))
        batch_op.add_column(sa.Column('request_id', number, nullable=True))
        batch_op.add_column(sa.Column('field', sa.String(), **TEXT))
        batch_op.add_column(sa.Column('contact', sa.LargeBinary(), nullable=True))
        batch_op.create_index('ix_challenge_subject', ['registry_id', 'subject_id'], unique=False)
        batch_op.create_index('ix_challenge_contact', ['contact_index'], unique=False)


def downgrade() -> None:
    with op.batch_alter_table('challenge', schema=None) as batch_op:
        batch_op.drop_index('ix_challenge_contact')
        batch_op.drop_index('ix_challenge_subject')
        for name in ('contact', 'field', 'request_id', 'asked', 'purpose'):
            batch_op.drop_column(name)
