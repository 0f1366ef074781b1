"""Workflows on DynamoDB."""
