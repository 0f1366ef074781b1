"""Jobs that wait for other jobs: release, progress, cycles."""
