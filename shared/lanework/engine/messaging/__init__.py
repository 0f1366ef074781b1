"""What is sent to SQS and read from it: delivery, resends, DLQ tickets, message events."""
