"""Leaves parts out of this repository's files: the example, and the lanes that a project doesn't have."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from lanework.model.lanes import Lane

_EXAMPLE: Final = re.compile(r"# example\b(?P<all> from here$)?")


def without_example(text: str) -> str:
    """
    Leave out each line that is marked `# example`, and with it what is indented more than it.

    Of `# example from here` also what follows at the same depth.
    """

    def depth(line: str, indent: int) -> int | None:
        marked = _EXAMPLE.search(line)
        return None if marked is None else indent - bool(marked["all"])

    return _without(text, depth)


def without_lanes(text: str, lanes: Iterable[Lane]) -> str:
    """
    Leave lanes out of the template: what is named after one, `LowQueue`, and each entry of a list that is about it.

    Args:
        text: The template.
        lanes: Those that are left out.
    """
    words = "|".join(lanes)
    if not words:
        return text
    names = f"(?:{'|'.join(word.capitalize() for word in words.split('|'))})(?=[A-Z])"
    of_a_lane = re.compile(
        rf"  {names}\w+:"  # a parameter, a condition, a resource or an output
        rf"| *- !(?:Ref|GetAtt|Sub) \W*{names}"  # an entry of a list
        rf'| *(?:"\${{{names}|\[.*"\${{AWS::StackName}}-(?:worker-)?(?:{words})(?:-dlq)?")'  # of the dashboard's JSON
        rf"| *# ---- Lane: (?:{words}) ----"
    )
    left = _without(text, lambda line, indent: indent if of_a_lane.match(line) else None)
    return re.sub(r",(\n *\])", r"\1", left)  # what was last in a list of JSON may be gone


def _without(text: str, gone: Callable[[str, int], int | None]) -> str:
    """Leave lines out, and what follows each and is indented more than the depth that `gone` returns for it."""
    kept: list[str] = []
    depth: int | None = None
    is_gap = False
    for line in text.splitlines():
        indent = len(line) - len(line.lstrip())
        if depth is not None and (not line or indent > depth):
            is_gap = not line
            continue
        if is_gap and kept[-1:] != [""]:
            kept.append("")
        depth, is_gap = gone(line, indent), False
        if depth is None:
            kept.append(line)
    return "\n".join(kept) + "\n"
