"""One mail to many: each of them gets it once, over as many attempts as the server takes."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import count
from typing import TYPE_CHECKING, TypedDict

from jobs.mail import MailServerError, Message, PartlyRefusedError, RefusedError

if TYPE_CHECKING:
    from jobs.mail import Send
    from lanework import Run


class _Refusals(TypedDict):
    """Whom the server refused for now, and how many for good."""

    later: list[str]
    never: int


def deliver(message: Message, run: Run, send: Send) -> None:
    """
    Send a mail. To whom the server gave it is kept with the job, so that a retry goes to those who are left only.

    Raises:
        MailServerError: Some recipients were refused for now.
        RefusedError: The mail, or some recipients, were refused for good; all others have it.
    """
    if len(message.envelope) == 1:
        send(message)
        return
    never = 0
    for number in count(1):
        round_ = _Round(message=message, send=send)
        outcome = run.once(f"delivery-{number}", round_.outcome)
        never += outcome["never"]
        left = tuple(outcome["later"])
        if not left:
            break
        if round_.is_of_this_attempt:
            msg = f"the mail server refused {len(left)} of {len(message.recipients)} recipients for now"
            raise MailServerError(msg)
        message = replace(message, still_for=left)
    if never:
        msg = f"the mail server refused {never} of {len(message.recipients)} recipients; the others got the mail"
        raise RefusedError(msg)


@dataclass(slots=True, kw_only=True)
class _Round:
    """One hand-over to the server, in this attempt or in one before."""

    message: Message
    send: Send
    is_of_this_attempt: bool = field(default=False, init=False)

    def outcome(self) -> _Refusals:
        """Hand the mail over."""
        self.is_of_this_attempt = True
        try:
            self.send(self.message)
        except PartlyRefusedError as refused:
            return _Refusals(later=list(refused.later), never=refused.never)
        return _Refusals(later=[], never=0)
