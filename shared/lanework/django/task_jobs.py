"""A job type for each task: its name, its payload's model, and the function that runs the task."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, create_model, model_validator

from lanework import TENANT, DeclarationError, Job, Jobs, Run
from lanework.django.framework import options_of
from lanework.django.priorities import lane_for
from lanework.django.task_runs import async_runner, runner
from lanework.errors import did_you_mean, shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from lanework.django.framework import Framework


class Arguments(BaseModel):
    """A task's arguments, as JSON values."""

    model_config = ConfigDict(extra="forbid")

    args: list[Any] = Field(default_factory=list)
    kwargs: dict[str, Any] = Field(default_factory=dict)


class Declared(NamedTuple):
    """A task's job, and the family that it is alone in: tasks differ in what they say, and families don't."""

    family: Jobs
    job: Job[Any, Any, Any, Any]


def declare(task: Any, framework: Framework) -> Declared:  # noqa: ANN401 - of the framework
    """
    Declare the job of a task; its family is in no application yet.

    Raises:
        DeclarationError, InvalidOptionError, UnknownLaneError: It can't be one as written.
    """
    said = options_of(task)
    lane = lane_of(task)
    if said.get("cron") is not None or said.get("every") is not None:
        _check_schedule(task)
    is_async = inspect.iscoroutinefunction(task.func)
    run = (async_runner if is_async else runner)(task, framework, discard_on=said.get("discard_on") or ())
    run.__annotations__ = {"arguments": _model(task, said), "run": Run, "return": Any}
    run.__doc__ = task.func.__doc__
    family = Jobs(queue=task.queue_name)
    return Declared(family, family.job(job_name(task), **{**said, "lane": lane})(run))


def job_name(task: Any) -> str:  # noqa: ANN401 - of the framework
    """Return the name of a task's job type: the path of its function, in lower case."""
    return str(task.module_path).lower()


def lane_of(task: Any) -> Any:  # noqa: ANN401 - whatever is said; it is checked with the other options
    """Return the lane of a task: what it says, else that of its priority; DeclarationError if it says both."""
    lane = options_of(task).get("lane")
    if lane is None:
        return lane_for(task.priority)
    if task.priority != 0:
        msg = f"task {task.module_path} says both lane={shown(lane)} and priority={task.priority}: leave one out"
        raise DeclarationError(msg)
    return lane


def checked_arguments(
    task: Any,  # noqa: ANN401 - of the framework
    args: Sequence[Any],
    kwargs: Mapping[str, Any],
    framework: Framework,
) -> dict[str, Any]:
    """Return a call's arguments as JSON values; TypeError if the function doesn't take them, or one is no JSON."""
    signature = inspect.signature(task.func, follow_wrapped=False)
    try:
        signature.bind(*([None] if task.takes_context else []), *args, **kwargs)
    except TypeError as error:
        msg = f"{task.module_path} can't be called so: {error}"
        raise TypeError(msg) from None
    values: dict[str, Any] = {}
    for name, value in {**{str(at): one for at, one in enumerate(args, 1)}, **kwargs}.items():
        try:
            values[name] = framework.normalize_json(value)
        except (TypeError, ValueError) as error:
            msg = f"{error}: argument {name} of {task.module_path} isn't JSON; give the task an id, and read it there"
            raise TypeError(msg) from None
    return {
        "args": [values[str(at)] for at, _ in enumerate(args, 1)],
        "kwargs": {name: values[name] for name in kwargs},
    }


def _check_schedule(task: Any) -> None:  # noqa: ANN401 - of the framework
    try:
        inspect.signature(task.func).bind(*([None] if task.takes_context else []))
    except TypeError as error:
        msg = f"task {task.module_path} has a schedule, which calls it without arguments: {error}; give it a default"
        raise DeclarationError(msg) from None


def _model(task: Any, said: dict[str, Any]) -> type[BaseModel]:  # noqa: ANN401 - of the framework
    """Return the model of a task's payload: where something is keyed by arguments, these are fields of their own."""
    keys = {key for key in _keys(said) if key not in (None, TENANT)}
    if not keys:
        return Arguments
    names = [*inspect.signature(task.func).parameters][1 if task.takes_context else 0 :]
    for key in keys:
        if key not in names:
            msg = f"task {task.module_path}: key {shown(key)} is no argument of it{did_you_mean(key, names)}"
            raise DeclarationError(msg)

    def keyed(given: Any) -> Any:  # noqa: ANN401 - whatever comes
        return _with_keys(task, keys, given) if isinstance(given, dict) else given

    fields: dict[str, Any] = dict.fromkeys(keys, (Any, None))
    validators: dict[str, Any] = {"keyed": model_validator(mode="before")(keyed)}
    return create_model("Arguments", __base__=Arguments, __validators__=validators, **fields)


def _keys(said: dict[str, Any]) -> Iterator[Any]:
    """Yield the names of arguments that unique work or limits are keyed by."""
    key = said.get("key") or ()
    yield from (key,) if isinstance(key, str) else key
    for name in ("concurrency", "rate", "quota"):
        limits = said.get(name)
        for one in limits if isinstance(limits, tuple) else (limits,):
            yield getattr(one, "key", None)


def _with_keys(task: Any, keys: set[str], given: dict[str, Any]) -> dict[str, Any]:  # noqa: ANN401 - of the framework
    args, kwargs = given.get("args") or [], given.get("kwargs") or {}
    try:
        bound = inspect.signature(task.func).bind(*([None] if task.takes_context else []), *args, **kwargs)
    except TypeError as error:
        raise ValueError(str(error)) from None
    bound.apply_defaults()
    return given | {key: bound.arguments[key] for key in keys}
