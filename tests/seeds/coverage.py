"""Which test shows which row, read from the tests' names; and the table of docs/seeds.md that is made of it."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tests.seeds.rows import ROWS, SYSTEMS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

HERE: Final = Path(__file__).parent
PAGE: Final = HERE.parents[1] / "docs" / "seeds.md"
BEGIN: Final = "<!-- made by `make seeds` -->"
END: Final = "<!-- end of what `make seeds` makes -->"


def shown_by_row() -> dict[str, list[str]]:
    """Return the tests of each row, as `file::name`; `test_004_22_…` is row 004-22's."""
    found: dict[str, list[str]] = {}
    for file in sorted(HERE.glob("test_*.py")):
        for node in ast.parse(file.read_text()).body:
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                _, seed, number, _ = node.name.split("_", maxsplit=3)
                found.setdefault(f"{seed}-{number}", []).append(f"{file.name}::{node.name}")
    return found


def kept() -> dict[str, str]:
    """Return how the rows stand in docs/seeds.md: results by row."""
    rows = [line.split("|") for line in PAGE.read_text().splitlines() if line.startswith("| 00")]
    return {cells[1].strip(): cells[-2].strip() for cells in rows}


def table(results: Mapping[str, str]) -> str:
    """
    Return the table: row, promise, what its test shows, and how that test came out.

    Args:
        results: By `file::name`; a row whose test was left out keeps what it had.
    """
    return "\n".join([BEGIN, "", *_lines(results), END])


def page_with(made: str) -> str:
    """Return docs/seeds.md with this table in the old one's place."""
    text = PAGE.read_text()
    head, _, rest = text.partition(BEGIN)
    _, _, tail = rest.partition(END)
    return f"{head}{made}{tail}"


def _lines(results: Mapping[str, str]) -> Iterator[str]:
    tests, before = shown_by_row(), kept()
    for seed, title in SYSTEMS.items():
        file = next((path.name for path in HERE.glob(f"test_{seed}_*.py")), "")
        yield f"### {seed} {title}"
        yield ""
        yield f"[tests/seeds/{file}](../tests/seeds/{file})"
        yield ""
        yield "| row | promise | its test shows that | result |"
        yield "| --- | --- | --- | --- |"
        for row, promise in ROWS.items():
            if row.startswith(seed):
                (test,) = tests.get(row, [""])
                shown = test.rpartition("::")[2].removeprefix(f"test_{row.replace('-', '_')}_").replace("_", " ")
                result = results.get(test) or before.get(row, "not run")
                yield f"| {row} | {promise.replace('|', '/')} | {shown} | {result} |"
        yield ""
