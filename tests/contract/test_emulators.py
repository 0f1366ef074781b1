"""The table of what each emulator can do, in localstack/README.md, is what each of them does."""

from __future__ import annotations

import pytest

from tests.support.emulators import CAN, README, written
from tests.support.endpoints import endpoints
from tests.support.probes import QUESTIONS, can


@pytest.mark.filterwarnings("ignore:Tried to parse")  # moto, of what it does not know
@pytest.mark.parametrize("question", QUESTIONS)
@pytest.mark.parametrize("emulator", endpoints("moto", "ministack"))
def test_an_emulator_can_do_what_the_table_says(emulator: str, question: str, request: pytest.FixtureRequest) -> None:
    assert can(request.getfixturevalue(f"{emulator}_endpoint"), question) == (emulator in CAN[question])


def test_the_readme_shows_the_table() -> None:
    assert README.read_text() == written(README.read_text())
    assert set(CAN) == set(QUESTIONS)
