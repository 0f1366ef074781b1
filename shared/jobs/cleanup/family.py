"""What all cleanups share."""

from lanework import Jobs

cleanup = Jobs(queue="cleanup", lane="batch", attempts=3, concurrency=1, keep_completed=100, keep_failed=500)
