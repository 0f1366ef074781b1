"""Dead jobs and dead-letter queues: find, group, redrive, drop."""
