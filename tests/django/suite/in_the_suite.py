"""
What stands in the place of Django's own backends in Django's own tests: Lanework's, in memory.

It has two things more than a backend needs, for the tests use them: `results`, and `clear`.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from lanework.django.backend import LaneworkBackend
from lanework.testing import app_in_memory, drain

if TYPE_CHECKING:
    from lanework import App


class Queued(LaneworkBackend):
    """In the place of `DummyBackend`: nothing runs."""

    _is_in_memory = False

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.results: list[Any] = []

    @property
    def app(self) -> App:
        if not self._is_in_memory:
            Queued._is_in_memory = bool(app_in_memory(super().app))
        return super().app

    def clear(self) -> None:
        self.results.clear()
        app_in_memory(self.app)

    def _send(self, request: Any, result: Any) -> None:
        super()._send(request, result)
        self.results.append(result)


class Drained(Queued):
    """In the place of `ImmediateBackend`: what is enqueued has run, once, when `enqueue` returns."""

    def _request(self, *args: Any) -> Any:
        request = super()._request(*args)
        return replace(request, policy=replace(request.policy, attempts=1))

    def enqueue(self, task: Any, args: Any, kwargs: Any) -> Any:
        result = super().enqueue(task, args, kwargs)
        drain(self.app)
        result.refresh()
        return result

    async def aenqueue(self, task: Any, args: Any, kwargs: Any) -> Any:
        return await asyncio.to_thread(self.enqueue, task, args, kwargs)
