"""The tasks of Lanework's backends in what a process has imported."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from lanework.django.framework import Framework

if TYPE_CHECKING:
    from collections.abc import Iterator


def tasks() -> Iterator[tuple[Any, Any]]:
    """Yield each task of a Lanework backend in what has been imported, and its backend, in the order of their paths."""
    frameworks = [sys.modules.get(name) for name in ("django.tasks.base", "django_tasks.base")]
    classes = tuple(one.Task for one in frameworks if one is not None)
    found: dict[str, Any] = {}
    for module in [*sys.modules.values()]:
        for value in [*getattr(module, "__dict__", {}).values()]:
            if issubclass(type(value), classes) and (value.module_path not in found or _is_the_one(value)):
                found[value.module_path] = value
    for path in sorted(found):
        backend = found[path].get_backend()
        if isinstance(getattr(backend, "framework", None), Framework):
            yield found[path], backend


def _is_the_one(task: Any) -> bool:  # noqa: ANN401 - of any framework
    """Tell a task from its variants, as `using` makes them: it is what lies at its function's path."""
    return getattr(sys.modules.get(task.func.__module__), task.func.__qualname__, None) is task
