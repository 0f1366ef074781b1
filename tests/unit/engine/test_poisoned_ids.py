"""One id of many whose record can't be sent: the others of the call are."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from lanework import EnqueueError, InvalidOptionError, Jobs, State
from lanework.errors import shown
from lanework.model.job.envelope import LARGEST_PAYLOAD
from lanework.testing import drain
from tests.support.factories import a_record
from tests.support.small_world import Greeting

if TYPE_CHECKING:
    from tests.support.small_world import World


@pytest.mark.parametrize(
    "odd",
    [{"max_attempts": 0}, {"version": 0}, {"payload": "x" * (LARGEST_PAYLOAD + 1)}],
    ids=["attempts", "version", "large"],
)
def test_the_others_are_sent_and_the_error_names_the_one(world: World, odd: dict[str, Any]) -> None:
    world.app.ports.ledger.put(replace(a_record(job_id="poison"), **odd))
    asked = [world.greet.request({"name": "Bat"}, job_id=one) for one in ("a", "poison", "b")]

    with pytest.raises(EnqueueError, match="recorded before, but not sent again") as caught:
        world.app.enqueue_many(asked)

    drain(world.app)
    assert caught.value.job_id == "poison"
    assert [world.stored(one).state for one in ("a", "b")] == [State.COMPLETED, State.COMPLETED]


@pytest.mark.parametrize("given", [{}, Greeting(name="Bat"), None, "user.greeting"], ids=repr)
def test_what_is_no_request_is_refused_by_its_type(world: World, given: Any) -> None:
    with pytest.raises(InvalidOptionError, match="takes what"):
        world.app.enqueue_many([given])


def test_headers_that_are_no_mapping_are_refused(world: World) -> None:
    odd: Any = "x"

    with pytest.raises(InvalidOptionError, match="headers must be a mapping"):
        world.greet.request({"name": "Bat"}).with_headers(odd)


def test_no_aliases_may_be_given_as_none() -> None:
    none: Any = None

    @Jobs(queue="email").job("user.greeting", aliases=none)
    def greet(_: Greeting) -> None: ...

    assert greet.type.aliases == ()


def test_a_value_that_cant_be_written_is_shown_as_its_type() -> None:
    class Odd:
        def __repr__(self) -> str:
            raise OSError

    assert shown(Odd()) == "a value of type Odd"
