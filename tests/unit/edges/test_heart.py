from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from threading import Event, Thread
from typing import TYPE_CHECKING, cast

from lanework import ConfigError
from lanework.edges.process.heart import Heart
from lanework.edges.process.outbox import Outbox
from lanework.model.lanes import Lane

if TYPE_CHECKING:
    from lanework.engine.execution import Execution
    from lanework.engine.inbox import Inbox

MINUTE = timedelta(minutes=1)


@dataclass(slots=True)
class Said:
    """What SQS was told of messages."""

    hidden: dict[str, timedelta] = field(default_factory=dict)

    def hide(self, _: Lane, handles: Mapping[str, timedelta]) -> None:
        self.hidden |= handles

    def delete(self, _: Lane, handles: Sequence[str]) -> None:
        pass


@dataclass(slots=True)
class Running:
    """An execution whose claim takes as long as the test wants."""

    stored: object = None
    is_claiming: Event = field(default_factory=Event)
    may_claim: Event = field(default_factory=Event)
    given_back: int = 0
    beats: int = 0
    has_beaten_twice: Event = field(default_factory=Event)

    def claim(self) -> bool:
        self.is_claiming.set()
        assert self.may_claim.wait(30)
        self.stored = "claimed"
        return True

    def give_back(self) -> bool:
        self.given_back += 1
        return True

    def beat(self) -> bool:
        self.beats += 1
        if self.beats == 2:
            self.has_beaten_twice.set()
        msg = "no permission"
        raise ConfigError(msg)


def a_heart(*, lease: timedelta = MINUTE) -> tuple[Heart, Said, Callable[[], None]]:
    said = Said()
    outbox = Outbox(cast("Inbox", said))
    heart = Heart(outbox, lease=lease)
    heart.hold(Lane.LOW, "handle")

    def close() -> None:
        heart.close()
        outbox.close()

    return heart, said, close


def test_a_claim_that_is_on_its_way_when_all_is_given_back_is_given_back_too() -> None:
    heart, said, close = a_heart()
    running, goes_on = Running(), []
    claiming = Thread(target=lambda: goes_on.append(heart.claim("handle", cast("Execution", running))))
    claiming.start()
    assert running.is_claiming.wait(30)
    giving_back = Thread(target=heart.give_back_all)
    giving_back.start()

    running.may_claim.set()
    giving_back.join()
    claiming.join()
    close()

    assert (goes_on, running.given_back, said.hidden) == ([False], 1, {"handle": timedelta(0)})


def test_what_was_given_back_before_its_claim_is_not_claimed() -> None:
    heart, said, close = a_heart()
    running = Running()

    heart.give_back_all()

    assert heart.claim("handle", cast("Execution", running)) is False
    assert not running.is_claiming.is_set()
    close()
    assert said.hidden == {"handle": timedelta(0)}


def test_a_heart_that_is_refused_beats_on() -> None:
    heart, _, close = a_heart(lease=timedelta(milliseconds=30))
    running = Running()
    running.may_claim.set()
    heart.claim("handle", cast("Execution", running))

    assert running.has_beaten_twice.wait(30)
    close()
