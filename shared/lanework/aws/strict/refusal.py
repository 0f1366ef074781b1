"""How AWS refuses a call, or an entry of a batch, as botocore hands it on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from types import SimpleNamespace
from typing import Any

Parameters = dict[str, Any]
"""A call's parameters, as boto has them. They may lack what botocore or AWS wants."""

Answer = tuple[Any, Parameters]
"""What botocore takes in place of an answer: the HTTP response's status, and the parsed body."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """
    Why AWS refuses something.

    Attributes:
        code: AWS's code, as botocore has it.
        message: AWS's text.
    """

    code: str
    message: str
    status: HTTPStatus = HTTPStatus.BAD_REQUEST

    def answer(self) -> Answer:
        """Return what botocore would have made of AWS's answer."""
        return answered(self.status, {"Error": {"Code": self.code, "Message": self.message, "Type": "Sender"}})


def answered(status: HTTPStatus, body: Parameters) -> Answer:
    """Return an answer that didn't come over the network."""
    metadata = {"HTTPStatusCode": int(status), "HTTPHeaders": {}, "RetryAttempts": 0, "RequestId": "not-sent"}
    return SimpleNamespace(status_code=int(status)), {**body, "ResponseMetadata": metadata}


Rule = Callable[[Parameters], Refusal | None]
"""Judges a call."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchRule:
    """
    Judges a call whose parameter `Entries` has entries that may fail one by one.

    Attributes:
        whole: Judges the call.
        entry: Judges one entry, given the call too.
        add: Adds those that failed, by their place in the batch, to the answer; it is given all entries, too.
    """

    whole: Rule
    entry: Callable[[Parameters, Parameters], Refusal | None]
    add: Callable[[Parameters, dict[int, Refusal], list[Parameters]], None]


def out_of_range(field: str, value: object, bound: str) -> Refusal:
    """Return how most of AWS's services refuse a value that their API's model excludes."""
    problem = f"Value '{value}' at '{field}' failed to satisfy constraint: Member must {bound}"
    return Refusal("ValidationException", f"1 validation error detected: {problem}")
