"""A mail to many: who gets it, over how many attempts, when the server refuses some of them."""

from __future__ import annotations

from dataclasses import dataclass, field

from jobs.email.delivery import deliver
from jobs.mail import MailServerError, Message, PartlyRefusedError, RefusedError
from lanework.testing import Notes, a_run

A, B, C = "a@example.com", "b@example.com", "c@example.com"
MAIL = Message(to=(A, B, C), subject="Hi", text="x", html="x", key="job-1")


@dataclass(slots=True)
class Server:
    """A mail server that refuses recipients for now, so often, or for good; for `down` hand-overs it isn't there."""

    later: dict[str, int] = field(default_factory=dict)
    never: set[str] = field(default_factory=set)
    down: int = 0
    got: list[str] = field(default_factory=list)

    def send(self, message: Message) -> None:
        if self.down:
            self.down -= 1
            msg = "the mail server is not there"
            raise MailServerError(msg)
        busy = tuple(one for one in message.envelope if self.later.get(one, 0) > 0)
        for one in busy:
            self.later[one] -= 1
        never = [one for one in message.envelope if one in self.never]
        self.got += [one for one in message.envelope if one not in (*busy, *never)]
        if len(busy) + len(never) == len(message.envelope):
            raise MailServerError if busy else RefusedError
        if busy or never:
            msg = "partly"
            raise PartlyRefusedError(msg, later=busy, never=len(never))


def attempts(server: Server, most: int = 5) -> list[str]:
    """Run a job of one mail as the engine would; return what each attempt raised, or `done`."""
    notes, outcomes = Notes(), list[str]()
    for attempt in range(1, most + 1):
        try:
            deliver(MAIL, a_run(attempt=attempt, notes=notes), server.send)
        except RefusedError as refused:
            return [*outcomes, f"RefusedError: {refused}"]
        except MailServerError:
            outcomes.append("MailServerError")
        else:
            return [*outcomes, "done"]
    return outcomes


def test_everybody_is_reached_at_once_where_nobody_is_refused() -> None:
    server = Server()

    assert attempts(server) == ["done"]
    assert server.got == [A, B, C]


def test_a_retry_goes_to_those_who_are_left_only() -> None:
    server = Server(later={B: 2})

    assert attempts(server) == ["MailServerError", "MailServerError", "done"]
    assert sorted(server.got) == [A, B, C]


def test_who_is_refused_for_good_is_told_and_everybody_else_has_the_mail_once() -> None:
    server = Server(later={B: 1}, never={C})

    assert attempts(server) == [
        "MailServerError",
        "RefusedError: the mail server refused 1 of 3 recipients; the others got the mail",
    ]
    assert server.got == [A, B]


def test_a_server_that_was_away_between_gets_nobody_a_second_mail() -> None:
    server = Server(down=1, later={C: 1})

    assert attempts(server) == ["MailServerError", "MailServerError", "done"]
    assert sorted(server.got) == [A, B, C]
