"""Lanework's own jobs: redrives, cleanup, archive, webhooks."""
