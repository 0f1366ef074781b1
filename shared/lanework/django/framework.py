"""The names of a tasks framework: Django's own (6.0 and later), or those of the backport `django-tasks`."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, make_dataclass
from typing import TYPE_CHECKING, Any, Final, TypeVar

from lanework.engine.jobtypes.family import JobOptions
from lanework.errors import did_you_mean, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable

FunctionT = TypeVar("FunctionT")

TASK_OPTIONS: Final = tuple(sorted(JobOptions.__optional_keys__ - {"debounce", "version", "upcast"}))
"""
What `@task(…)` takes of Lanework. A debounced job has an id of its own, and enqueue returns the id before the commit;
version and upcast are about a payload's model, and a task has none of its own.
"""

MARK: Final = "lanework_options"


@dataclass(frozen=True, slots=True, kw_only=True)
class Framework:
    """
    What backends need of a tasks framework.

    Attributes:
        task: Its class of tasks, with fields for `TASK_OPTIONS`.
        invalid_task: Raised of a task that the backend can't run.
        does_not_exist: Raised of a result that there isn't.
    """

    task: Any
    task_result: Any
    task_error: Any
    task_context: Any
    status: Any
    invalid_task: type[Exception]
    does_not_exist: type[Exception]
    enqueued: Any
    started: Any
    finished: Any
    normalize_json: Callable[[Any], Any]


def with_options(task: Any, module: str) -> Any:  # noqa: ANN401 - a class of the framework
    """
    Return a class of tasks that takes `TASK_OPTIONS`, too: `@task(lane="high", attempts=5)`.

    Args:
        task: The framework's class.
        module: Where the class is found under the name `LaneworkTask`.
    """

    def new(cls: type[Any], **said: object) -> Any:  # noqa: ANN401 - of the class
        _check_known(said, known, of=f"task {getattr(said.get('func'), '__qualname__', '')}")
        return object.__new__(cls)

    made = make_dataclass(
        "LaneworkTask",
        [(name, Any, field(default=None)) for name in TASK_OPTIONS],
        bases=(task,),
        namespace={"__new__": new, "__doc__": "A task that takes Lanework's options, as `Jobs.job(…)` does."},
        frozen=True,
        slots=True,
        kw_only=True,
    )
    made.__module__ = module
    known = tuple(one.name for one in fields(made))
    return made


def job_options(**said: object) -> Callable[[FunctionT], FunctionT]:
    """
    Give a task Lanework's options where `@task` takes none: `@task` over `@job_options(attempts=5)` over the function.

    Django 6.0 needs it; from 6.1 on, and with django-tasks, `@task(attempts=5)` says the same.

    Raises:
        TypeError: There is no such option; the error names the nearest.
    """
    _check_known(said, TASK_OPTIONS, of="job_options")

    def mark(function: FunctionT) -> FunctionT:
        setattr(function, MARK, said)
        return function

    return mark


def options_of(task: Any) -> dict[str, Any]:  # noqa: ANN401 - a task of any framework
    """Return what a task says of Lanework's options, by name, what its function is marked with included."""
    said = dict(getattr(task.func, MARK, {}))
    own = {name: getattr(task, name, None) for name in TASK_OPTIONS}
    return said | {name: value for name, value in own.items() if value is not None}


def _check_known(said: Iterable[str], known: Collection[str], *, of: str) -> None:
    for name in said:
        if name not in known:
            hint = did_you_mean(name, known) or f"; known: {', '.join(known)}"
            msg = f"unknown option {shown(name)} of {of}{hint}"
            raise TypeError(msg)
