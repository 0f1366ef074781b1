"""The Python of every page runs in memory as it stands there, with public names only, and prints what it says."""

from __future__ import annotations

import ast
import asyncio
import inspect
import re
from importlib import import_module
from typing import TYPE_CHECKING, Any

import pytest

from lanework import App
from lanework.testing import Clock, app_in_memory
from tests.unit.docs.given import CHECKS, GIVEN
from tests.unit.docs.pages import Block, blocks, blocks_of

if TYPE_CHECKING:
    from collections.abc import Iterator

PUBLIC = {
    "lanework",
    "lanework.aws_events",
    "lanework.dead_letters",
    "lanework.outbox",
    "lanework.schema",
    "lanework.testing",
}
"""Modules that pages may take names from. All others are the engine's own."""

ELSEWHERE = {"docs/cdk.md", "docs/django.md"}
"""Pages whose code wants the CDK, or Django: tests/cdk and tests/django run it."""

BLOCKS = [block for block in blocks("python") if block.page not in ELSEWHERE]
PAGES = sorted({block.page for block in BLOCKS})


@pytest.mark.parametrize("page", PAGES)
def test_a_pages_code_runs_and_prints_what_it_says(page: str, capsys: pytest.CaptureFixture[str]) -> None:
    names: dict[str, Any] = {"__name__": "page", **GIVEN.get(page, dict)()}
    for block in blocks_of(page):
        if block.language == "python":
            for statement, says in _statements(block):
                _run(statement, names, block)
                if says is not None:
                    assert capsys.readouterr().out.strip() == says, str(block)
            tests: list[Any] = [one for name, one in names.items() if name.startswith("test_")]
            for test in tests:
                test()
            names = {name: one for name, one in names.items() if not name.startswith("test_")}
    if page in CHECKS:
        CHECKS[page](names)


@pytest.mark.parametrize("block", BLOCKS, ids=str)
def test_a_page_imports_public_names_only(block: Block) -> None:
    for node in ast.walk(ast.parse(block.text)):
        if isinstance(node, ast.Import):
            assert not any(one.name.startswith("lanework") and one.name not in PUBLIC for one in node.names)
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "lanework":
            assert node.module in PUBLIC
            public = getattr(import_module(str(node.module)), "__all__", None)
            for one in node.names:
                assert one.name in public if public is not None else not one.name.startswith("_")


def _statements(block: Block) -> Iterator[tuple[ast.stmt, str | None]]:
    """Yield each statement, with what a `print` says behind it that it prints."""
    lines = block.text.splitlines()
    for statement in ast.parse(block.text).body:
        is_print = ast.unparse(statement).startswith("print(")
        said = re.search(r"\)\s+# (.*)$", lines[(statement.end_lineno or 1) - 1]) if is_print else None
        yield statement, None if said is None else said[1]


def _run(statement: ast.stmt, names: dict[str, Any], block: Block) -> None:
    """Run a statement; an application that it makes is one in memory from then on."""
    module = ast.Module(body=[statement], type_ignores=[])
    code = compile(module, str(block), "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
    before = names.get("app")
    result = eval(code, names)  # noqa: S307 - our own pages
    if inspect.isawaitable(result):
        asyncio.run(_awaited(result))
    app = names.get("app")
    if isinstance(app, App) and app is not before and not block.page.startswith("docs/dead-letters"):
        app_in_memory(app, Clock())


async def _awaited(result: Any) -> None:
    await result
