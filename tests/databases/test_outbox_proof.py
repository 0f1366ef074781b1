from __future__ import annotations

import pytest

from tests.support.outbox_processes import PLACES
from tests.support.outbox_proof import prove


@pytest.mark.timeout(600)
def test_what_was_committed_runs_exactly_once_whoever_is_killed() -> None:
    outcome = prove(200)

    assert outcome.is_right, outcome
    assert [] == [place for place in PLACES if not outcome.kills[f"writer {place}"]]
