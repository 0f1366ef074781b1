"""
Powertools' idempotency around every run, with the job's own item as its idempotency record.

Powertools saves "in progress" before the job's code, "success" after it, and deletes on an exception. Here these are
the claim, the completion, and the settling of a failure, on the extension point that Powertools documents for it, a
persistence layer of one's own. So a run costs two writes, and the history of a failed one stays.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Final

from aws_lambda_powertools.utilities.idempotency import IdempotencyConfig, idempotent_function
from aws_lambda_powertools.utilities.idempotency.exceptions import (
    IdempotencyAlreadyInProgressError,
    IdempotencyItemAlreadyExistsError,
    IdempotencyItemNotFoundError,
    IdempotencyPersistenceLayerError,
)
from aws_lambda_powertools.utilities.idempotency.persistence.base import BasePersistenceLayer
from aws_lambda_powertools.utilities.idempotency.persistence.datarecord import STATUS_CONSTANTS, DataRecord

from lanework.engine.execution.attempt import GaveUpError
from lanework.errors import LaneworkError
from lanework.model.lifecycle.states import State

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

    from lanework.engine.execution.attempt import Execution
    from lanework.engine.execution.guard import Guard

_KEY_PREFIX: Final = "lanework"
"""Fixed, so that renaming a function doesn't change what an idempotency key is."""


def powertools_guard(context: LambdaContext) -> Guard:
    """
    Return the guard that takes executions through Powertools' idempotency.

    Args:
        context: The invocation's context; Powertools reads the time that is left from it.
    """
    config = IdempotencyConfig(use_local_cache=False)
    config.register_lambda_context(context)

    def guard(execution: Execution) -> None:
        def run(*, job_id: str) -> str | None:  # noqa: ARG001 - Powertools takes the key from it
            return execution.run()

        guarded = idempotent_function(
            run,
            data_keyword_argument="job_id",
            persistence_store=_JobItemLayer(execution),
            config=config,
            key_prefix=_KEY_PREFIX,
        )
        # Either way the execution's report says what becomes of the message.
        try:
            with suppress(GaveUpError, IdempotencyAlreadyInProgressError):
                guarded(job_id=execution.job_id)
        except IdempotencyPersistenceLayerError as error:
            if isinstance(error.__cause__, LaneworkError):
                raise error.__cause__ from None
            raise

    return guard


class _JobItemLayer(BasePersistenceLayer):
    """Powertools' persistence layer over one execution: made anew for each, since it holds that run's state."""

    def __init__(self, execution: Execution) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._execution = execution

    def _put_record(self, data_record: DataRecord) -> None:
        if self._execution.claim():
            return
        stored = self._execution.stored
        is_done = stored is not None and stored.state is State.COMPLETED
        status = STATUS_CONSTANTS["COMPLETED" if is_done else "INPROGRESS"]
        raise IdempotencyItemAlreadyExistsError(
            old_data_record=DataRecord(idempotency_key=data_record.idempotency_key, status=status, response_data="null")
        )

    def _update_record(self, data_record: DataRecord) -> None:  # noqa: ARG002 - the execution holds the result
        self._execution.complete()

    def _delete_record(self, data_record: DataRecord) -> None:  # noqa: ARG002 - the execution holds the failure
        self._execution.settle()

    def _get_record(self, idempotency_key: str) -> DataRecord:
        """Never needed: a refused claim brings the record with it."""
        raise IdempotencyItemNotFoundError(idempotency_key)
