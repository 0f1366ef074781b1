"""The ledger on DynamoDB: one item per job."""
