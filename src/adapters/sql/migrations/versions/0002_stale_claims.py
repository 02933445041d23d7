"""Claims are found by when they were made, for those that are stale are forgotten."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_index(op.f("ix_invite_claims_email_key"), "invite_claims")
    op.create_index(op.f("ix_invite_claims_claimed_at"), "invite_claims", ["claimed_at"])
