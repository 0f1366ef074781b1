"""`manage.py lanework …`: the whole command line, with the project's settings."""

from __future__ import annotations

from typing import Any, ClassVar

from django.core.management.base import BaseCommand

from lanework.cli import main


class Command(BaseCommand):
    """What follows goes to `lanework` as it is."""

    help = "Lanework's command line: manage.py lanework list, manage.py lanework dlq redrive --dry-run, …"
    words: ClassVar[tuple[str, ...]] = ()
    """What comes before what was typed."""

    def run_from_argv(self, argv: list[str]) -> None:
        """Run what was typed after the command's name; Django reads none of it, for the options are Lanework's."""
        main([*self.words, *argv[2:]])

    def handle(self, *args: str, **_: Any) -> None:  # noqa: ANN401 - Django's
        """Run it for `call_command("lanework", "list")`."""
        main([*self.words, *args])
