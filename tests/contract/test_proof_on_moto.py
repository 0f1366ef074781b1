"""The proof over DynamoDB as moto's server plays it: the conditions hold there as they do in memory."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test

from lanework.aws.clients import Clients
from lanework.aws.flags import DynamoFlags
from lanework.aws.ledger.ledger import DynamoLedger
from lanework.aws.limits import DynamoLimits
from lanework.settings import Settings
from tests.support.stacks import REGION, make_stack
from tests.unit.proof import profiles
from tests.unit.proof.machine import NothingIsLost

if TYPE_CHECKING:
    from lanework.engine.ports.flags import Flags
    from lanework.engine.ports.ledger import Ledger
    from lanework.engine.ports.limits import Limits


@pytest.mark.timeout(1200)  # a stack for each example, on a machine that may do other work
def test_no_promise_breaks_with_the_records_in_dynamodb(moto_endpoint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    clients = Clients(Settings(stack="proof", region=REGION, endpoint=moto_endpoint))
    numbers = count(1)

    class NothingIsLostOnMoto(NothingIsLost):
        """Each example on a stack of its own; the lanes stay in memory, where their messages can be interfered with."""

        def new_ledger(self) -> Ledger:
            self.stack = f"proof-{next(numbers)}"
            make_stack(self.stack, moto_endpoint)
            return DynamoLedger(clients, stack=self.stack, region=REGION)

        def new_flags(self) -> Flags:
            return DynamoFlags(clients, stack=self.stack)

        def new_limits(self) -> Limits:
            return DynamoLimits(clients, stack=self.stack)

    run_state_machine_as_test(NothingIsLostOnMoto, settings=settings.get_profile(profiles.ON_MOTO))

    assert next(numbers) > settings.get_profile(profiles.ON_MOTO).max_examples, "each example had a stack of its own"
