"""Which right of IAM's a refusal names: that, and nothing else of its text, may be logged."""

from __future__ import annotations

import pytest

from lanework.errors import ConfigError
from lanework.model.job.error_text import missing_right

DENIED = "reading job 7: User: arn:aws:sts::1:assumed-role/api/x is not authorized to perform: {} on resource: secret"


@pytest.mark.parametrize("right", ["dynamodb:BatchGetItem", "sqs:sendmessage", "execute-api:Invoke"])
def test_a_refusal_names_the_right_that_lacks(right: str) -> None:
    assert missing_right(ConfigError(DENIED.format(right))) == right


@pytest.mark.parametrize(
    "error",
    [
        ConfigError("no such table"),
        ValueError(DENIED.format("sqs:SendMessage")),
        ConfigError(DENIED.format("no right")),
    ],
)
def test_nothing_else_is_a_right(error: Exception) -> None:
    assert missing_right(error) is None
