"""What CONTRIBUTING.md asks of tests, as far as their source shows it."""

from __future__ import annotations

import ast
from pathlib import Path

TESTS = Path(__file__).parents[1]


def imported(tree: ast.AST) -> set[str]:
    """Return the modules that a file imports, and the names that it imports from packages, in full."""
    found = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module is not None:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


def test_what_tests_share_is_in_support() -> None:
    assert [] == [
        f"{file.relative_to(TESTS)} imports {module}"
        for file in TESTS.rglob("*.py")
        for module in imported(ast.parse(file.read_text()))
        if module.startswith("tests.") and any(part.startswith(("test_", "conftest")) for part in module.split("."))
    ]


def test_nothing_lies_beside_the_suites() -> None:
    assert ["conftest.py"] == [file.name for file in TESTS.glob("*.py")]
