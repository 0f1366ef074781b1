"""What CONTRIBUTING.md asks of tests, as far as their source shows it."""

from __future__ import annotations

import ast
from pathlib import Path

TESTS = Path(__file__).parents[1]
PATCHES = ("setattr", "setitem", "delattr")


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


def replaced(tree: ast.AST) -> list[str]:
    """Return whose attributes a file lets pytest replace, and the mocks that it makes."""
    owners = [
        ast.unparse(node.args[0])
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in PATCHES
    ]
    return [*owners, *(name for name in imported(tree) if name.startswith("unittest.mock"))]


def test_nothing_of_ours_is_patched() -> None:
    assert [] == [
        f"{file.relative_to(TESTS)} replaces something of {owner}"
        for file in TESTS.rglob("*.py")
        for owner in replaced(ast.parse(file.read_text()))
        if owner.strip("'").partition(".")[0] != "sys"
    ]


def test_nothing_lies_beside_the_suites() -> None:
    assert ["conftest.py"] == [file.name for file in TESTS.glob("*.py")]
