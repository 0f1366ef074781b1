"""What lies in a dead-letter queue."""
