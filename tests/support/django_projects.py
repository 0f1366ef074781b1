"""What the tests of `lanework.django` share."""

from __future__ import annotations

from typing import Final

DATABASES: Final = ("default", "postgresql")
"""Their project's databases: SQLite, and a PostgreSQL that the tests start."""
