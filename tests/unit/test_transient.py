"""Which of AWS's errors mean: try again."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

from lanework import ConfigError, UnavailableError
from lanework.aws.clients import translated


@pytest.mark.parametrize("code", ["TransactionConflictException", "TransactionInProgressException"])
def test_a_write_that_meets_a_transaction_may_be_repeated(code: str) -> None:
    """A signal is written in one, on the item that a run writes, too."""
    with pytest.raises(UnavailableError), translated("writing complete of job job-1"):
        raise ClientError({"Error": {"Code": code, "Message": ""}}, "UpdateItem")


def test_a_permission_that_is_missing_is_not_a_matter_of_time() -> None:
    with pytest.raises(ConfigError), translated("writing complete of job job-1"):
        raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": ""}}, "UpdateItem")
