"""Workflows: definition, enqueue, query, repair."""
