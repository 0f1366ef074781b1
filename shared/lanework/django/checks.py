"""What `manage.py check` says of an entry in TASKS."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django.core.checks import Error
from django.core.checks import Warning as CheckWarning

from lanework import ConfigError, InvalidOptionError, LaneworkError
from lanework.django.found_tasks import tasks
from lanework.django.settings import outbox_database
from lanework.django.task_jobs import job_name
from lanework.errors import did_you_mean, shown
from lanework.model.job.ids import checked_queue
from lanework.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.core.checks import CheckMessage

OPTIONS: Final = ("ENQUEUE_ON_COMMIT",)
_PARAMS: Final = ("BACKEND", "OPTIONS", "QUEUES")


def check_backend(backend: Any) -> Iterator[CheckMessage]:  # noqa: ANN401 - a backend of any framework
    """Yield what is wrong with a backend's entry: names, values, the application, and whether there is a stack."""
    where = f"TASKS[{backend.alias!r}]"
    yield from _of_entry(backend, where)
    yield from _of_application(backend, where)
    try:
        Settings.from_env()
    except ConfigError as error:
        hint = (
            "run `lanework dev` in this folder, or set LANEWORK_STACK and AWS_REGION to the name and region of a stack"
        )
        yield CheckWarning(f"{where}: no stack to enqueue into: {error}", hint=hint, id="lanework.W001")


def _of_entry(backend: Any, where: str) -> Iterator[CheckMessage]:  # noqa: ANN401 - as above
    for name in backend.params:
        if name not in _PARAMS:
            yield Error(f"{where}: unknown key {shown(name)}{did_you_mean(name, _PARAMS)}", id="lanework.E001")
    for name in backend.options:
        if name not in OPTIONS:
            yield Error(
                f"{where}: unknown key {shown(name)} of OPTIONS{did_you_mean(name, OPTIONS)}", id="lanework.E001"
            )
    if not isinstance(backend.options.get("ENQUEUE_ON_COMMIT", True), bool):
        yield Error(f"{where}: OPTIONS['ENQUEUE_ON_COMMIT'] must be True or False", id="lanework.E002")
    for queue in sorted(backend.queues, key=str):
        try:
            checked_queue(queue)
        except InvalidOptionError as error:
            yield Error(f"{where}: QUEUES: {error}", id="lanework.E003")


def _of_application(backend: Any, where: str) -> Iterator[CheckMessage]:  # noqa: ANN401 - as above
    try:
        outbox_database()
        registry = backend.app.registry
    except LaneworkError as error:
        yield Error(f"{where}: {error}", id="lanework.E004")
    else:
        lacking = [task.module_path for task, its in tasks() if its is backend and not registry.find(job_name(task))]
        if lacking:
            line = f"{where}: LANEWORK_APP lacks {lacking[0]}: write App(…, *families()), of lanework.django"
            yield Error(line, id="lanework.E005")
