"""`manage.py lanework_worker`: runs jobs in processes of its own, as `lanework worker` does."""

from __future__ import annotations

from lanework.django.management.commands import lanework


class Command(lanework.Command):
    """What follows goes to `lanework worker` as it is."""

    help = "Run jobs in processes of its own: manage.py lanework_worker --lane low --concurrency 4"
    words = ("worker",)
