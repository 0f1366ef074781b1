"""LocalStack's DynamoDB played by moto: DynamoDB Local, which it would start, is Java, under a licence of its own."""

from collections.abc import Callable
from functools import wraps
from threading import Lock
from typing import ParamSpec, TypeVar

from localstack.aws.api.dynamodb import DynamodbApi
from localstack.aws.skeleton import DispatchTable
from localstack.services.moto import MotoFallbackDispatcher
from localstack.services.plugins import Service, aws_provider

_one_at_a_time = Lock()
P = ParamSpec("P")
R = TypeVar("R")


@aws_provider(api="dynamodb", name="moto")
def provider() -> Service:
    """Return a DynamoDB that implements no call itself, so that each falls through to moto."""
    return Service.for_provider(DynamodbApi(), dispatch_table_factory=_calls_in_turn)


def _calls_in_turn(api: object) -> DispatchTable:
    """Return moto's calls, one at a time: its conditional writes are not atomic among threads, as DynamoDB's are."""
    return {name: _in_turn(call) for name, call in MotoFallbackDispatcher(api).items()}


def _in_turn(call: Callable[P, R]) -> Callable[P, R]:
    @wraps(call)
    def one(*args: P.args, **kwargs: P.kwargs) -> R:
        with _one_at_a_time:
            return call(*args, **kwargs)

    return one
