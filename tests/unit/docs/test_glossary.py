"""The glossary has each word once, in order, and names what the code's enums name."""

from __future__ import annotations

import re

from lanework.model.lanes import Lane
from lanework.model.lifecycle.states import State
from tests.unit.docs.pages import text_of

_ROWS = re.findall(r"^\| ([^|]+) \| ([^|]+) \|$", text_of("docs/glossary.md"), re.MULTILINE)[1:]


def test_each_word_is_explained_once_and_found_by_its_place() -> None:
    words = [word.lower() for word, _ in _ROWS]

    assert words == sorted(set(words))


def test_the_states_and_the_lanes_are_those_of_the_code() -> None:
    meaning = dict(_ROWS)

    assert set(re.findall(r"`(\w+)`", meaning["state"])) == {*State} - {State.UNKNOWN}
    assert re.findall(r"`(\w+)`", meaning["lane"]) == [*Lane]
