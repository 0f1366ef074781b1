"""What the clock does: sweep, reconcile, archive, cleanup."""
