"""Every promise of the seeds has its test, and docs/seeds.md lists them."""

from __future__ import annotations

from tests.seeds.coverage import PAGE, shown_by_row
from tests.seeds.rows import ROWS


def test_every_row_has_one_test_and_every_test_a_row() -> None:
    found = shown_by_row()

    assert {row: len(tests) for row, tests in found.items()} == dict.fromkeys(found, 1)
    assert set(found) == set(ROWS)


def test_the_page_lists_every_row_and_every_one_was_shown() -> None:
    page = PAGE.read_text()

    shown = {line.split("|")[1].strip(): line.split("|")[-2].strip() for line in page.splitlines() if _is_row(line)}
    assert shown == dict.fromkeys(ROWS, "shown")


def _is_row(line: str) -> bool:
    return line.startswith("| 00")
