"""Background jobs on AWS's own serverless parts: SQS lanes, Lambda workers, one DynamoDB record per job."""

from lanework.app import App
from lanework.engine.cancel import Cancelling
from lanework.engine.job import Job
from lanework.engine.jobs import Jobs
from lanework.engine.middleware import Middleware, Proceed
from lanework.engine.plan import Workflow, batch, chain, group
from lanework.engine.receipt import Receipt
from lanework.engine.request import EnqueueOptions, Request
from lanework.engine.run import Run
from lanework.engine.signals import Signalling
from lanework.engine.workflow_enqueue import WorkflowReceipt
from lanework.engine.workflow_reader import JobResult
from lanework.errors import (
    ClaimLostError,
    ConfigError,
    DeclarationError,
    EnqueueError,
    InvalidOptionError,
    InvalidPayloadError,
    JobEndedError,
    JobFailedError,
    JobIdTakenError,
    JobNotFoundError,
    JobNotWaitingError,
    LaneworkError,
    NotProddedError,
    QuotaExceededError,
    ResultTimeoutError,
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
from lanework.model.events import Action, Event
from lanework.model.lanes import Lane
from lanework.model.limits import TENANT, Concurrency, Quota, Rate
from lanework.model.outcomes import Cancel, Discard, RetryAfter, Snooze, Suspended, TimedOut
from lanework.model.payload import Public
from lanework.model.states import Cause, JobRecord, State
from lanework.model.workflow import WorkflowState

__all__ = [  # noqa: RUF022 - grouped
    # Declaring and enqueueing jobs
    "App",
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
    # What is told of
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
    "JobEndedError",
    "JobFailedError",
    "JobIdTakenError",
    "JobNotFoundError",
    "JobNotWaitingError",
    "LaneworkError",
    "NotProddedError",
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
