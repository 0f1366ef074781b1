"""What all reports share."""

from datetime import timedelta
from typing import Final

from lanework import Jobs

report = Jobs(
    queue="report",
    lane="low",
    attempts=3,
    timeout=timedelta(minutes=10),
    concurrency=2,
    keep_completed=100,
    keep_failed=500,
)

PAGE_SIZE: Final = 200


class ReportTooLargeError(Exception):
    """Raised when a report outgrows the item that it is kept in; ask for fewer days."""
