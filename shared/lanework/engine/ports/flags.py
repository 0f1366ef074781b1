"""The pause flags, as the ledger keeps them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class FlagSet:
    """
    What is paused, as `lane:low`, `queue:email` or `type:user.otp`.

    Attributes:
        paused: Names whose jobs don't start.
        resumed: Names that were paused and whose held jobs may not all be moved back yet.
    """

    paused: frozenset[str] = frozenset()
    resumed: frozenset[str] = frozenset()


class Flags(Protocol):
    """One small item that says what is paused."""

    def read(self) -> FlagSet:
        """
        Return what is paused now.

        Raises:
            UnavailableError: It can't be read.
        """

    def pause(self, name: str) -> None:
        """Add a name to the paused."""

    def resume(self, name: str) -> None:
        """Move a name from the paused to the resumed."""

    def forget(self, name: str) -> None:
        """Take a name off the resumed: nothing is held under it any more."""

    def bookmark(self, name: str) -> str | None:
        """Return where a walk that goes on from tick to tick has come to."""

    def set_bookmark(self, name: str, position: str) -> None:
        """Note where a walk has come to."""

    def move_bookmark(self, name: str, position: str, *, since: str | None) -> bool:
        """
        Note where a walk has come to, unless somebody has moved the bookmark since; tell whether nobody had.

        Args:
            name: Of the bookmark.
            position: Where to.
            since: Where it was; None if there was none.
        """
