"""Background jobs on AWS's own serverless parts: SQS lanes, Lambda workers, one DynamoDB record per job."""

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from lanework.errors import (
    ClaimLostError,
    ConfigError,
    DeclarationError,
    EnqueueError,
    InvalidOptionError,
    InvalidPayloadError,
    ItemConditionError,
    ItemsNotWrittenError,
    JobEndedError,
    JobFailedError,
    JobIdTakenError,
    JobNotFoundError,
    JobNotWaitingError,
    LaneLeftOutError,
    LaneworkError,
    QuotaExceededError,
    ResultTimeoutError,
    ScheduleNotConnectedError,
    SignalTimeoutError,
    SignalTooLateError,
    TooLargeError,
    UnavailableError,
    UnknownJobTypeError,
    UnknownLaneError,
    UnknownNameError,
    UnknownParentError,
    WorkflowClosedError,
    WorkflowNotFoundError,
)

if TYPE_CHECKING:
    from lanework.app import App
    from lanework.engine.jobtypes.batch import Batch, BatchItem
    from lanework.engine.jobtypes.family import Jobs
    from lanework.engine.jobtypes.job import Job
    from lanework.engine.jobtypes.middleware import Middleware, Proceed
    from lanework.engine.jobtypes.options import EnqueueOptions
    from lanework.engine.jobtypes.receipt import Receipt
    from lanework.engine.jobtypes.request import Request
    from lanework.engine.jobtypes.run import Run
    from lanework.engine.operations.cancel import Cancelling
    from lanework.engine.operations.signals import Signalling
    from lanework.engine.workflows.definition import Workflow, batch, chain, group
    from lanework.engine.workflows.enqueue import WorkflowReceipt
    from lanework.engine.workflows.query import JobResult
    from lanework.model.events import Action, Event
    from lanework.model.job.job_exceptions import Cancel, Discard, RetryAfter, Snooze, Suspended, TimedOut
    from lanework.model.job.payload import Public
    from lanework.model.lanes import Lane
    from lanework.model.lifecycle.states import Cause, JobRecord, State
    from lanework.model.limits import TENANT, Concurrency, Quota, Rate
    from lanework.model.workflow.workflow import WorkflowState

_MODULES: Final = {
    "lanework.app": ("App",),
    "lanework.engine.jobtypes.batch": ("Batch", "BatchItem"),
    "lanework.engine.jobtypes.family": ("Jobs",),
    "lanework.engine.jobtypes.job": ("Job",),
    "lanework.engine.jobtypes.middleware": ("Middleware", "Proceed"),
    "lanework.engine.jobtypes.options": ("EnqueueOptions",),
    "lanework.engine.jobtypes.receipt": ("Receipt",),
    "lanework.engine.jobtypes.request": ("Request",),
    "lanework.engine.jobtypes.run": ("Run",),
    "lanework.engine.operations.cancel": ("Cancelling",),
    "lanework.engine.operations.signals": ("Signalling",),
    "lanework.engine.workflows.definition": ("Workflow", "batch", "chain", "group"),
    "lanework.engine.workflows.enqueue": ("WorkflowReceipt",),
    "lanework.engine.workflows.query": ("JobResult",),
    "lanework.model.events": ("Action", "Event"),
    "lanework.model.job.job_exceptions": ("Cancel", "Discard", "RetryAfter", "Snooze", "Suspended", "TimedOut"),
    "lanework.model.job.payload": ("Public",),
    "lanework.model.lanes": ("Lane",),
    "lanework.model.lifecycle.states": ("Cause", "JobRecord", "State"),
    "lanework.model.limits": ("TENANT", "Concurrency", "Quota", "Rate"),
    "lanework.model.workflow.workflow": ("WorkflowState",),
}
"""Where the names are that are loaded at their first use: a process loads what it uses, its parent next to nothing."""

_MODULE_OF: Final = {name: module for module, names in _MODULES.items() for name in names}

__all__ = [  # noqa: RUF022 - grouped
    # Declaring and enqueueing jobs
    "App",
    "Batch",
    "BatchItem",
    "EnqueueOptions",
    "Job",
    "Jobs",
    "Middleware",
    "Proceed",
    "Public",
    "Receipt",
    "Request",
    "Run",
    # Workflows
    "JobResult",
    "Workflow",
    "WorkflowReceipt",
    "WorkflowState",
    "batch",
    "chain",
    "group",
    # Limits
    "TENANT",
    "Concurrency",
    "Quota",
    "Rate",
    # What a job may raise
    "Cancel",
    "Discard",
    "RetryAfter",
    "Snooze",
    "Suspended",
    "TimedOut",
    # Events
    "Action",
    "Event",
    # Where jobs stand
    "Cancelling",
    "Cause",
    "JobRecord",
    "Lane",
    "Signalling",
    "State",
    # Errors
    "ClaimLostError",
    "ConfigError",
    "DeclarationError",
    "EnqueueError",
    "InvalidOptionError",
    "InvalidPayloadError",
    "ItemConditionError",
    "ItemsNotWrittenError",
    "LaneLeftOutError",
    "JobEndedError",
    "JobFailedError",
    "JobIdTakenError",
    "JobNotFoundError",
    "JobNotWaitingError",
    "LaneworkError",
    "ScheduleNotConnectedError",
    "QuotaExceededError",
    "ResultTimeoutError",
    "SignalTimeoutError",
    "SignalTooLateError",
    "TooLargeError",
    "UnavailableError",
    "UnknownJobTypeError",
    "UnknownLaneError",
    "UnknownNameError",
    "UnknownParentError",
    "WorkflowClosedError",
    "WorkflowNotFoundError",
]


def __getattr__(name: str) -> Any:  # noqa: ANN401 - TYPE_CHECKING above has the types
    """
    Load a public name at its first use.

    Raises:
        AttributeError: There is no such name.
    """
    if name not in _MODULE_OF:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    found = globals()[name] = getattr(import_module(_MODULE_OF[name]), name)
    return found
