"""
Job types as one JSON document: their payloads' JSON Schemas and their options, for producers that don't have the code.

    app = App(load_schema("jobs.schema.json"))
    app.enqueue("report.month", {"month": "2026-11"})

`lanework schema export` writes the document, `lanework schema diff` says what a new one breaks. Extra `schema`.
"""

from lanework.schema.load import SchemaFamily, load_schema

__all__ = ["SchemaFamily", "load_schema"]
