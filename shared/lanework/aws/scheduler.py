"""EventBridge Scheduler: schedules that were added, in the stack's own group, call what the tick's schedule calls."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

from lanework.aws.clients import translated
from lanework.errors import ConfigError
from lanework.model.schedule.schedule import input_of

if TYPE_CHECKING:
    from lanework.aws.clients import Clients
    from lanework.model.schedule.schedule import Schedule

RETRIES: Final[dict[str, Any]] = {"MaximumRetryAttempts": 3, "MaximumEventAgeInSeconds": 300}
"""The minute tick does what these tries didn't."""

_MISSING: Final = "ResourceNotFoundException"
_NO_SUCH_SERVICE: Final = frozenset({"404", "501", "InvalidAction", "NotImplemented", "UnknownOperationException"})


class EventBridgeScheduler:
    """
    Implements the `Scheduler` port.

    Where it calls to, and as whom, is copied from the tick's own schedule, so nobody has to configure it.
    """

    def __init__(self, clients: Clients, *, stack: str) -> None:
        self._clients = clients
        self._group = stack
        self._tick = f"{stack}-tick"

    def create(self, schedule: Schedule) -> bool:
        if schedule.name == self._tick:
            msg = f"schedule {schedule.name!r} can't be used as a name: the stack's own tick has it"
            raise ConfigError(msg)
        with translated(f"writing EventBridge's schedule {schedule.name}"):
            try:
                self._send(schedule)
            except ClientError as error:
                if _code(error) in _NO_SUCH_SERVICE:
                    return False
                if _code(error) == _MISSING:
                    msg = f"group {self._group!r} has no {self._tick!r} to copy the target from: deploy template.yaml"
                    raise ConfigError(msg) from error
                raise
        return True

    def delete(self, name: str) -> None:
        with translated(f"deleting EventBridge's schedule {name}"):
            try:
                self._clients.scheduler.delete_schedule(Name=name, GroupName=self._group)
            except ClientError as error:
                if _code(error) not in {_MISSING, *_NO_SUCH_SERVICE}:
                    raise

    def _send(self, schedule: Schedule) -> None:
        scheduler = self._clients.scheduler
        like = scheduler.get_schedule(Name=self._tick, GroupName=self._group)["Target"]
        expression = schedule.timetable.expression_for_eventbridge()
        request: dict[str, Any] = {
            "Name": schedule.name,
            "GroupName": self._group,
            "ScheduleExpression": expression.text,
            "ScheduleExpressionTimezone": expression.timezone,
            "FlexibleTimeWindow": {"Mode": "OFF"},
            "Target": {
                "Arn": like["Arn"],
                "RoleArn": like["RoleArn"],
                "Input": input_of(schedule.name),
                "RetryPolicy": RETRIES,
            },
        }
        try:
            scheduler.create_schedule(**request)
        except scheduler.exceptions.ConflictException:
            scheduler.update_schedule(**request)


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))
