"""A CSV under construction, of bounded size."""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from jobs.reports.family import ReportTooLargeError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from jobs.store import Transaction

LARGEST_BYTES: Final = 300 * 1024
"""Each form of a report is one item, and DynamoDB's items end at 400 KB, keys and names included."""

COLUMNS: Final = ("id", "at", "amount", "currency", "description")
_FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r")


class Lines:
    """
    A CSV, line by line.

    Attributes:
        rows: Lines so far, the header aside.
        size: Bytes so far, in UTF-8.
    """

    def __init__(self, columns: Iterable[str]) -> None:
        """Begin with the header row."""
        self.rows = -1
        self.size = 0
        self._parts: list[str] = []
        self.append([columns])

    def append(self, rows: Iterable[Iterable[str]]) -> None:
        """
        Add rows.

        Raises:
            ReportTooLargeError: The CSV is over 300 KB.
        """
        chunk, kept = io.StringIO(), list(rows)
        csv.writer(chunk).writerows(kept)
        self._parts.append(chunk.getvalue())
        self.size += len(chunk.getvalue().encode())
        self.rows += len(kept)
        if self.size > LARGEST_BYTES:
            msg = (
                f"the report is {self.size:,} bytes after {self.rows:,} rows, over the limit of {LARGEST_BYTES:,}; "
                "ask for fewer days"
            )
            raise ReportTooLargeError(msg)

    @property
    def csv(self) -> str:
        """The rows so far, as RFC 4180 has it."""
        return "".join(self._parts)


class Sheet(Lines):
    """A CSV of transactions, with its totals."""

    def __init__(self) -> None:
        """Begin with the header row."""
        super().__init__(COLUMNS)
        self._totals: defaultdict[str, Decimal] = defaultdict(Decimal)

    def add(self, transactions: Iterable[Transaction]) -> None:
        """Add rows; errors as in `append`."""
        chunk = list(transactions)
        for one in chunk:
            self._totals[one.currency] += one.amount
        self.append(_cells(one) for one in chunk)

    @property
    def totals(self) -> dict[str, str]:
        """Sum per currency, as decimal text."""
        return {currency: f"{total:f}" for currency, total in sorted(self._totals.items())}


def harmless(cell: str) -> str:
    """
    Return a text cell that no spreadsheet takes for a formula: one that starts like a formula gets a `'` in front.

    As OWASP has it under CSV injection. For text only: the amount -5.00 is a number, and has to stay one.
    """
    return f"'{cell}" if cell.startswith(_FORMULA_STARTS) else cell


def _cells(one: Transaction) -> tuple[str, ...]:
    return (harmless(one.id), one.at.isoformat(), f"{one.amount:f}", harmless(one.currency), harmless(one.description))
