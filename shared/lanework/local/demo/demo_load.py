"""`lanework dev --demo`: the demo's jobs, again and again, so that the dashboard has something to show."""

from __future__ import annotations

import threading
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from itertools import cycle
from typing import TYPE_CHECKING, Final

from lanework.errors import LaneworkError
from lanework.local.application import load_app
from lanework.local.demo.demo import scenario_of

if TYPE_CHECKING:
    from lanework.local.stack.embedded import RunningStack

EVERY: Final = timedelta(seconds=4)


class Traffic:
    """Enqueues while a block lasts; this process must have entered the stack's environment."""

    def __init__(self, stack: RunningStack) -> None:
        """
        Load the application and its scenario.

        Raises:
            ConfigError: `[tool.lanework] demo` names no scenario.
        """
        self._app = load_app(stack.deployer.project)
        self._requests = [expected.request for expected in scenario_of(stack.deployer.project)]
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        """Enqueue each job at once, under its own id; then one after the other, each under a new id."""
        for request in self._requests:
            with suppress(LaneworkError):
                self._app.enqueue_request(request)
        for request in cycle(self._requests):
            if self._stop.wait(EVERY.total_seconds()):
                return
            with suppress(LaneworkError):  # a quota that is used up shows something, too
                self._app.enqueue_request(replace(request, job_id=None))
