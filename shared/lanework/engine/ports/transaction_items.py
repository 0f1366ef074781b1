"""The application's own items that are written with a job, all or none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

MOST_ITEMS: Final = 100
LARGEST_TRANSACTION: Final = 4 * 1024 * 1024
"""What a transaction may have: items, and bytes together (DynamoDB, TransactWriteItems)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TransactionItems:
    """
    Entries of a TransactWriteItems.

    Attributes:
        given: As the caller gave them.
        entries: As DynamoDB takes them: each value with its type.
        size: Their bytes, as far as the call shows them: an update's item is larger than what it writes.
        digest: By which the same entries are known again.
    """

    given: tuple[Mapping[str, Any], ...]
    entries: tuple[dict[str, Any], ...]
    size: int
    digest: str
