"""
Text that somebody else chose is read in time that grows with its length and no faster.

Patterns are looked at as data: no repetition within a repetition, and no two beside each other that could both take
the same character, which a match that fails would share out in every way there is. Nor does a pattern that is looked
for anywhere in a text begin with a repetition which something has to follow: it would be tried from every place.
"""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from pathlib import Path
from re import _parser as parser
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lanework.local.emulator.subprocess_env import clean_environment
from lanework.model.job.fingerprint import fingerprint

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SHARED = Path(__file__).parents[2] / "shared"
MANY = 100
"""A repetition that may be longer than this has no bound that helps."""

ALPHABET = [chr(code) for code in range(1, 0x180)] + list("«»“”‘’…€Жя٣・")


def patterns_in(path: Path) -> Iterator[tuple[str, bool, int]]:
    """Yield the regular expressions that a module writes out: the pattern, whether it is anchored, and its line."""
    tree = ast.parse(path.read_text())
    compiled_whole = {
        node.func.value.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and isinstance(node.func.value, ast.Name)
        and node.func.attr in ("fullmatch", "match")
    }
    for node in ast.walk(tree):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args):
            continue
        is_re = isinstance(node.func.value, ast.Name) and node.func.value.id == "re"
        pattern = node.args[0]
        if not (is_re and isinstance(pattern, ast.Constant) and isinstance(pattern.value, str)):
            continue
        name = _assigned(tree, node)
        is_anchored = node.func.attr in ("fullmatch", "match") or name in compiled_whole
        yield pattern.value, is_anchored, node.lineno


def _assigned(tree: ast.Module, call: ast.Call) -> str | None:
    for node in tree.body:
        if isinstance(node, ast.AnnAssign | ast.Assign) and node.value is call:
            target = node.target if isinstance(node, ast.AnnAssign) else node.targets[0]
            return target.id if isinstance(target, ast.Name) else None
    return None


ALL = [
    pytest.param(pattern, is_anchored, id=f"{path.relative_to(SHARED)}:{line}")
    for path in sorted([*SHARED.glob("lanework/**/*.py"), *SHARED.glob("jobs/**/*.py")])
    if "project" not in path.parts
    for pattern, is_anchored, line in patterns_in(path)
]


def flat(items: Any) -> list[Any]:
    """Return a pattern's parts in a row, groups opened; a branch is one part."""
    found: list[Any] = []
    for kind, value in items:
        if str(kind) == "SUBPATTERN":
            found += flat(value[3])
        else:
            found.append((kind, value))
    return found


def is_repetition(part: Any) -> bool:
    return str(part[0]).endswith("_REPEAT")


def is_long(part: Any) -> bool:
    return is_repetition(part) and part[1][1] > MANY


def is_optional(part: Any) -> bool:
    return (is_repetition(part) and part[1][0] == 0) or str(part[0]) in ("AT", "ASSERT", "ASSERT_NOT")


def firsts(part: Any) -> set[str]:
    """Return the characters that a part can begin with."""
    kind, value = str(part[0]), part[1]
    if kind.endswith("_REPEAT"):
        return firsts_of(flat(value[2]))
    if kind == "BRANCH":
        return set().union(*(firsts_of(flat(one)) for one in value[1]))
    if kind in ("AT", "ASSERT", "ASSERT_NOT"):
        return set()
    one = re.compile(_written(part))
    return {character for character in ALPHABET if one.fullmatch(character)}


def firsts_of(parts: list[Any]) -> set[str]:
    found: set[str] = set()
    for part in parts:
        found |= firsts(part)
        if not is_optional(part):
            break
    return found


def _written(part: Any) -> str:
    kind, value = str(part[0]), part[1]
    match kind:
        case "LITERAL":
            return re.escape(chr(value))
        case "NOT_LITERAL":
            return f"[^{re.escape(chr(value))}]"
        case "ANY":
            return "."
        case "IN":
            return f"[{''.join(map(_in_class, value))}]"
    raise NotImplementedError(kind)


def _in_class(part: Any) -> str:
    kind, value = str(part[0]), part[1]
    match kind:
        case "NEGATE":
            return "^"
        case "LITERAL":
            return re.escape(chr(value))
        case "RANGE":
            return f"{re.escape(chr(value[0]))}-{re.escape(chr(value[1]))}"
        case "CATEGORY":
            names = {"DIGIT": r"\d", "SPACE": r"\s", "WORD": r"\w"}
            name = str(value).removeprefix("CATEGORY_")
            return names[name] if name in names else names[name.removeprefix("NOT_")].upper()
    raise NotImplementedError(kind)


def hazards(pattern: str, *, is_anchored: bool) -> list[str]:
    """Return what of a pattern could take longer than in proportion to the text."""
    return list(_hazards(flat(parser.parse(pattern)), is_anchored=is_anchored))


def _hazards(parts: list[Any], *, is_anchored: bool) -> Iterator[str]:
    for index, part in enumerate(parts):
        if str(part[0]) == "BRANCH":
            for one in part[1][1]:
                yield from _hazards(flat(one), is_anchored=True)
        if not is_long(part):
            continue
        body = flat(part[1][2])
        yield from _hazards(body, is_anchored=True)
        if _holds_long(body) and firsts_of(body) & _lasts(body):
            yield "a repetition within a repetition"
        for other in parts[index + 1 :]:
            if is_long(other) and firsts(part) & firsts(other):
                yield "two repetitions that share characters"
            if not is_optional(other) and not firsts(part) & firsts(other):
                break
        if index == 0 and not is_anchored and any(not is_optional(one) for one in parts[1:]):
            yield "it is tried from every place of a long repetition"


def _holds_long(parts: list[Any]) -> bool:
    branches = [flat(one) for part in parts if str(part[0]) == "BRANCH" for one in part[1][1]]
    return any(is_long(one) for one in parts) or any(map(_holds_long, branches))


def _lasts(parts: list[Any]) -> set[str]:
    found: set[str] = set()
    for part in reversed(parts):
        found |= firsts(part)
        if not is_optional(part):
            break
    return found


@pytest.mark.parametrize(("pattern", "is_anchored"), ALL)
def test_no_pattern_takes_longer_than_in_proportion_to_the_text(pattern: str, is_anchored: bool) -> None:
    assert hazards(pattern, is_anchored=is_anchored) == []


@pytest.mark.parametrize(
    ("pattern", "is_anchored"),
    [
        (r"(a+)+b", True),
        (r"(\w+\s?)*$", True),
        (r"\s*x?\s*y", True),
        (r"[\w.:-]*\d[\w.:-]*", True),
        (r"[\w.+-]+@[\w.-]+\w", False),
        (r"(?<![\w])-?[\w.:-]*\d[\w.:-]*(?<![.:-])", False),
        (r"\d+(\.\d+)?x", False),
        (r"(?:a|b*)*c", True),
    ],
)
def test_a_pattern_that_takes_longer_is_found(pattern: str, is_anchored: bool) -> None:
    """The rule itself: some textbook's, and the three that grouped dead jobs by error at 22 ms each."""
    assert hazards(pattern, is_anchored=is_anchored)


COUNTS = """
import json, sys
from lanework.model.job import fingerprint

def trace(frame, event, _):
    global count
    if frame.f_code.co_filename != fingerprint.__file__:
        return None
    count += event == "line"
    return trace

for line in sys.stdin:
    text, count = json.loads(line), 0
    sys.settrace(trace)
    fingerprint.shape_of(text)
    sys.settrace(None)
    print(count, flush=True)
"""
"""Counts the lines of the module that run for each text; a process of its own, which nothing else has traced."""


@pytest.fixture(scope="module")
def steps() -> Iterator[Callable[[str], int]]:
    """Return how many lines of the module run for a text, and how many characters its searches go over."""
    command = [sys.executable, "-c", COUNTS]
    environment = {**clean_environment(), "PYTHONPATH": str(SHARED)}
    with subprocess.Popen(
        command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        asked, answers = process.stdin, process.stdout

        def count(text: str) -> int:
            asked.write(f"{json.dumps(text)}\n")
            asked.flush()
            return int(answers.readline())

        yield count
        asked.close()


HOSTILE = [
    "-.-.-.",
    "x",
    "'a ",
    "' ",
    "«",
    "“",
    '"',
    "a@",
    "@",
    "+",
    "http:/",
    "://a",
    "1-",
    "a1 ",
    ".",
    ":",
    "é'",
    "(",
    "\n ",
]


@pytest.mark.parametrize("piece", HOSTILE)
def test_grouping_takes_steps_in_proportion_to_the_errors_length(piece: str, steps: Callable[[str], int]) -> None:
    short, long = steps("E: " + (piece * 1_000)[:400]), steps("E: " + (piece * 1_000)[:1_600])

    assert long <= 5 * short + 50


@given(pieces=st.lists(st.sampled_from([*HOSTILE, "»", "”", "a", "9", " "]), max_size=12))
def test_no_mixture_takes_more_than_a_few_steps_a_character(steps: Callable[[str], int], pieces: list[str]) -> None:
    text = ("".join(pieces) * 300)[:1_500]

    assert steps(text) <= 20 * len(text) + 100


def test_an_error_longer_than_any_that_is_kept_is_read_to_a_bound(steps: Callable[[str], int]) -> None:
    assert steps("E: " + "a1 " * 100_000) <= 20 * 2_000 + 100
    assert fingerprint("E: " + "a1 " * 100_000) == fingerprint("E: " + "a1 " * 100_001)


def test_an_error_that_is_no_unicode_has_a_fingerprint() -> None:
    assert len(fingerprint("ValueError: \udcff")) == 8
