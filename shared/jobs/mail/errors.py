"""What can go wrong with a mail. No message repeats an address or a line of a mail: errors are stored and logged."""

from __future__ import annotations


class MailError(Exception):
    """Raised when a mail could not be sent."""


class InvalidMessageError(MailError, ValueError):
    """Raised when a mail can't be built as asked, such as with a line break in its subject. Repeating doesn't help."""


class MailServerError(MailError):
    """Raised when the mail server could not be reached or asked to come back later. Repeating may help."""


class RefusedError(MailError):
    """Raised when the mail server refused the mail or a recipient for good. Repeating doesn't help."""


class PartlyRefusedError(MailError):
    """
    Raised when the mail server took the mail for some of its recipients only.

    Attributes:
        later: The addresses that it refused for now: a retry may be for these.
        never: How many it refused for good.
    """

    def __init__(self, message: str, *, later: tuple[str, ...], never: int) -> None:
        """Keep who is left; the text names nobody."""
        super().__init__(message)
        self.later = later
        self.never = never
