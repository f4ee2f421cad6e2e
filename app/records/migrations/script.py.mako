"""${message}"""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from alembic import op

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run in one transaction, with foreign keys unchecked on SQLite until its end."""
    ${upgrades if upgrades else "pass"}
