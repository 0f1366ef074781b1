"""The only place that knows boto: the ledger on DynamoDB, the lanes on SQS, the guard on Powertools' idempotency."""
