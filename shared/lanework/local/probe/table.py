"""The table: what AWS documents and Lanework leans on, and what memory and the emulators do."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from lanework.errors import UnknownNameError

FILE: Final = Path(__file__).with_name("behaviours.toml")
AS_AWS: Final = "as AWS"


@dataclass(frozen=True, slots=True, kw_only=True)
class Behaviour:
    """
    A line of the table.

    Attributes:
        id: Its name, and its probe's.
        says: What AWS documents.
        page: Where it does.
        used_by: A module of Lanework's that leans on it, below `lanework/`.
        strict: Whether Lanework's strict clients refuse what AWS refuses.
        memory: What the ports in memory do; None: it is nothing that they have.
        moto: What moto's server does.
        ministack: What MiniStack does, as the embedded stack starts it.
        localstack: What LocalStack does in host mode.
    """

    id: str
    says: str
    page: str
    used_by: str
    strict: bool = False
    memory: str | None = None
    moto: str = AS_AWS
    ministack: str = AS_AWS
    localstack: str = AS_AWS


@cache
def behaviours() -> dict[str, Behaviour]:
    """Return the lines by their names, in the file's order."""
    return {name: Behaviour(id=name, **fields) for name, fields in tomllib.loads(FILE.read_text()).items()}


def lines_of(patterns: list[str]) -> list[Behaviour]:
    """
    Return the lines whose names begin with one of the words; without any, all.

    Raises:
        UnknownNameError: No name begins with a word.
    """
    for word in patterns:
        if not any(name.startswith(word) for name in behaviours()):
            raise UnknownNameError("line", word, behaviours())
    return [one for name, one in behaviours().items() if not patterns or name.startswith(tuple(patterns))]
