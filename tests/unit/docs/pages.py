"""The documents as data: every page, its blocks of code, its links. A new page is among them by itself."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

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


def commands_of(block: Block) -> Iterator[list[str]]:
    """Yield the commands of a block, as words; in a `console` block they begin with `$`, in `sh` each line is one."""
    text = re.sub(r"\\\n\s*", " ", block.text)
    for line in text.splitlines():
        if block.language == "console" and not line.startswith("$ "):
            continue
        yield from simple_commands(line.removeprefix("$ "))


def simple_commands(line: str) -> Iterator[list[str]]:
    """Yield the commands that a line of a shell joins, without redirections and assignments before them."""
    lexer = shlex.shlex(re.sub(r"\w+=\$\(", "", line), posix=True, punctuation_chars="|&;<>")
    lexer.whitespace_split, lexer.commenters = True, "#"
    words: list[str] = []
    skip = False
    for word in [*lexer, ";"]:
        if skip:
            skip = False
        elif word in {"<", ">", ">>"}:
            skip = True
        elif re.fullmatch(r"[|&;]+", word):
            while words and re.fullmatch(r"\w+=.*", words[0]):
                words.pop(0)
            if words:
                yield words
            words = []
        else:
            words.append(word.rstrip(")"))
