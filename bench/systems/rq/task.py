"""The job, apart from the producer's connection."""

import work


def task(kind: str, at: float, padding: str) -> int:
    """Do it."""
    return work.do(kind, at)
