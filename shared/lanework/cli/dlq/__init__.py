"""Commands about dead-letter queues: list, show, redrive, drop."""
