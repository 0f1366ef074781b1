"""Workflows: their jobs' dependencies and shards. Pure."""
