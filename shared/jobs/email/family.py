"""What all e-mail jobs share."""

from datetime import timedelta
from pathlib import Path
from typing import Final

from jobs.mail import InvalidMessageError, RefusedError
from lanework import Jobs

email = Jobs(
    queue="email",
    lane="medium",
    attempts=3,
    timeout=timedelta(seconds=20),
    concurrency=5,
    keep_completed=100,
    keep_failed=500,
)
"""Ordinary mail: five at a time."""

urgent = Jobs(queue="email", lane="high", attempts=3)
"""
Mail that somebody waits for: the same queue in statistics and pauses, but not under the five of ordinary mail.

A newsletter's backlog would else stand before a password reset, whatever lane that is in. How many of these are sent at
once is their lanes' number of workers.
"""

IN_VAIN: Final = (RefusedError, InvalidMessageError)
"""What no further attempt can help."""

TEMPLATES: Final = Path(__file__).parent
