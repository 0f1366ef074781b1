"""What operators do with jobs: cancel, reschedule, signal, pause, read results."""
