"""The documents as data: every page, its blocks of code, its links. A new page is among them by itself."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent

ROOT = Path(__file__).parents[3]

STARTER = "shared/lanework/starter/project/README.md"

PAGES = tuple(
    str(path.relative_to(ROOT))
    for path in sorted(
        {
            *ROOT.glob("*.md"),
            *(ROOT / "docs").rglob("*.md"),
            *(ROOT / "localstack").rglob("*.md"),
            *(ROOT / "infra").rglob("*.md"),
            *(ROOT / "events").rglob("*.md"),
            *(ROOT / "bench").rglob("*.md"),
            *(ROOT / "shared").rglob("*.md"),
        }
    )
)

_BLOCK = re.compile(r"^(?P<indent> *)```(?P<language>[^\n`]*)\n(?P<text>.*?)^(?P=indent)```$", re.DOTALL | re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Block:
    """
    A block of code.

    Attributes:
        page: Of which page, from the root.
        line: Where it begins.
        language: What its fence says.
    """

    page: str
    line: int
    language: str
    text: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


def text_of(page: str) -> str:
    return (ROOT / page).read_text(encoding="utf-8")


def blocks_of(page: str) -> tuple[Block, ...]:
    text = text_of(page)
    return tuple(
        Block(page, text[: found.start()].count("\n") + 1, found["language"].strip(), dedent(found["text"]))
        for found in _BLOCK.finditer(text)
    )


def blocks(*languages: str) -> tuple[Block, ...]:
    """Return all blocks of some languages."""
    return tuple(block for page in PAGES for block in blocks_of(page) if block.language in languages)


def prose_of(page: str) -> str:
    """Return a page without its blocks."""
    return _BLOCK.sub("", text_of(page))
