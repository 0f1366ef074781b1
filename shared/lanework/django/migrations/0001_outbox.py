"""Makes the table of `lanework.django.outbox`."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations, models


class Migration(migrations.Migration):
    """The first one."""

    initial = True
    dependencies: ClassVar[list[tuple[str, str]]] = []
    operations: ClassVar[list[migrations.operations.base.Operation]] = [
        migrations.CreateModel(
            name="OutboxRow",
            fields=[
                ("id", models.CharField(max_length=64, primary_key=True, serialize=False)),
                ("job_id", models.CharField(max_length=128)),
                ("job_type", models.CharField(max_length=100)),
                ("request", models.TextField()),
                ("created_ms", models.BigIntegerField()),
                ("due_ms", models.BigIntegerField()),
                ("failures", models.IntegerField(default=0)),
                ("reason", models.TextField(null=True)),
                ("claim", models.CharField(max_length=64, null=True)),
            ],
            options={
                "db_table": "lanework_outbox",
                "indexes": [models.Index(fields=["due_ms", "id"], name="lanework_outbox_due")],
            },
        ),
    ]
