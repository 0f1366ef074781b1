"""`manage.py lanework_outbox`: the relay of an outbox in the project's database, and the rows that it can't send."""

from __future__ import annotations

import signal
import sys
from threading import Event
from typing import TYPE_CHECKING, Any, Final

from django.core.management.base import BaseCommand, CommandError
from django.db import DEFAULT_DB_ALIAS, DatabaseError, close_old_connections

from lanework import LaneworkError
from lanework.django.models import OutboxRow
from lanework.django.outbox import relay
from lanework.observe.logs import show_lines
from lanework.outbox.rows import milliseconds, moment
from lanework.wiring import utc_now

if TYPE_CHECKING:
    from django.core.management.base import CommandParser

EVERY_S: Final = 5
"""How often the relay looks, in seconds."""


class Command(BaseCommand):
    """What the word says; without one, the relay, until SIGTERM or Ctrl-C."""

    help = "Send what a crash or an outage left in the outbox: every 5 s what is older than 30 s."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take a word, and of which database."""
        whats = ("relay", "list", "retry", "drop")
        parser.add_argument("what", nargs="?", default="relay", choices=whats, help="what to do with its rows: relay")
        parser.add_argument("job_ids", nargs="*", help="jobs to retry, all that failed without any; or to drop")
        parser.add_argument("--once", action="store_true", help="send what is due, and stop")
        parser.add_argument("--database", default=DEFAULT_DB_ALIAS, help="the database of the outbox")

    def handle(self, *, what: str, job_ids: list[str], once: bool, database: str, **_: Any) -> None:  # noqa: ANN401 - Django's
        """Do it; CommandError if it can't be done."""
        try:
            if what == "relay":
                self._relay(database, once=once)
            else:
                rows = OutboxRow.objects.using(database)
                {"list": self._list, "retry": self._retry, "drop": self._drop}[what](rows, job_ids)
        except LaneworkError as error:
            raise CommandError(str(error)) from error

    def _relay(self, database: str, *, once: bool) -> None:
        show_lines(sys.stderr)
        stop = Event()
        if once:
            stop.set()
        else:
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, lambda *_: stop.set())
        while True:
            try:
                done = relay(using=database, is_over=Event().is_set if once else stop.is_set)
                kept = f", {done.kept} kept: `manage.py lanework_outbox list` says why" if done.kept else ""
                if once or done.sent or done.kept:
                    self.stdout.write(f"{done.sent} sent{kept}")
            except DatabaseError as error:
                if once:
                    raise
                self.stderr.write(f"{error}; the relay tries again in {EVERY_S} s")
            if stop.wait(EVERY_S):
                return
            close_old_connections()

    def _list(self, rows: Any, _: list[str]) -> None:  # noqa: ANN401 - a query
        for row in rows.order_by("created_ms"):
            waits = f"{row.failures} failures, next try {moment(row.due_ms):%Y-%m-%d %H:%M:%SZ}"
            self.stdout.write(f"{row.job_id}  {row.job_type}  {waits}  {row.reason or ''}".rstrip())

    def _retry(self, rows: Any, job_ids: list[str]) -> None:  # noqa: ANN401 - a query
        chosen = rows.filter(job_id__in=job_ids) if job_ids else rows.filter(failures__gt=0)
        self.stdout.write(f"{chosen.update(due_ms=milliseconds(utc_now()))} due now")

    def _drop(self, rows: Any, job_ids: list[str]) -> None:  # noqa: ANN401 - a query
        self.stdout.write(f"{rows.filter(job_id__in=job_ids).delete()[0]} dropped")
