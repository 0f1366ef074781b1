"""
Powertools' idempotency as the driver of an attempt's steps, with the job's own item as its idempotency record.

Powertools saves "in progress" before a function, and "success" after it. Here the one is `Attempt.claim` and the other
`Attempt.record`, on the extension point that Powertools documents for it, a persistence layer of one's own. How an
attempt ended is a value, never an exception, so Powertools has nothing to delete: a run costs two writes, and the
history of a failed one stays.
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

from lanework.errors import LaneworkError

if TYPE_CHECKING:
    from collections.abc import Callable

    from aws_lambda_powertools.utilities.typing import LambdaContext

    from lanework.engine.execution.attempt import Attempt, StepDriver

_KEY_PREFIX: Final = "lanework"
"""Fixed, so that renaming a function doesn't change what an idempotency key is."""


def through_powertools(context: LambdaContext, *, wait: Callable[[Attempt], object] = lambda _: None) -> StepDriver:
    """
    Return the driver that takes attempts through Powertools' idempotency, within the context's time.

    `wait` is called between the claim and the code: a batch function's job waits there for the others of its call.
    """
    config = IdempotencyConfig(use_local_cache=False)
    config.register_lambda_context(context)

    def drive(attempt: Attempt) -> None:
        def run(*, job_id: str) -> None:  # noqa: ARG001 - Powertools takes the key from it
            wait(attempt)
            attempt.run()

        idempotent = idempotent_function(
            run,
            data_keyword_argument="job_id",
            persistence_store=_JobItemLayer(attempt),
            config=config,
            key_prefix=_KEY_PREFIX,
        )
        try:
            with suppress(IdempotencyAlreadyInProgressError):  # the attempt's report says what becomes of the message
                idempotent(job_id=attempt.job_id)
        except IdempotencyPersistenceLayerError as error:
            if isinstance(error.__cause__, LaneworkError):
                raise error.__cause__ from None
            raise

    return drive


class _JobItemLayer(BasePersistenceLayer):
    """Powertools' persistence layer over one attempt: made anew for each, since it holds that attempt's state."""

    def __init__(self, attempt: Attempt) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._attempt = attempt

    def _put_record(self, data_record: DataRecord) -> None:
        if not (self._attempt.claim() and self._attempt.begin()):
            # Whether the job runs elsewhere or has ended is the same to Powertools: the function isn't called.
            status = STATUS_CONSTANTS["INPROGRESS"]
            key = data_record.idempotency_key
            raise IdempotencyItemAlreadyExistsError(old_data_record=DataRecord(idempotency_key=key, status=status))

    def _update_record(self, data_record: DataRecord) -> None:  # noqa: ARG002 - the attempt holds its outcome
        self._attempt.record()

    def _delete_record(self, data_record: DataRecord) -> None:
        """Never needed: `Attempt.run` raises no Exception once it is claimed."""

    def _get_record(self, idempotency_key: str) -> DataRecord:
        """Never needed: a refused claim brings the record with it."""
        raise IdempotencyItemNotFoundError(idempotency_key)
