"""The table of `lanework.django.outbox`: the same as that of `lanework.outbox`, by a migration of Django's."""

from __future__ import annotations

from django.db import models

from lanework.outbox.rows import TABLE


class OutboxRow(models.Model):
    """A job that was written in a transaction and is yet to be sent: a `lanework.outbox.rows.Row`, and its claim."""

    id = models.CharField(primary_key=True, max_length=64)
    job_id = models.CharField(max_length=128)
    job_type = models.CharField(max_length=100)
    request = models.TextField()
    created_ms = models.BigIntegerField()
    due_ms = models.BigIntegerField()
    failures = models.IntegerField(default=0)
    reason = models.TextField(null=True)  # noqa: DJ001 - as SQLAlchemy's table has it
    claim = models.CharField(max_length=64, null=True)  # noqa: DJ001 - as above

    class Meta:
        """Its table, and the index of what is due."""

        db_table = TABLE
        indexes = (models.Index(fields=("due_ms", "id"), name="lanework_outbox_due"),)

    def __str__(self) -> str:
        return f"{self.job_type} {self.job_id}"
