"""
The proofs for as long as asked, with fresh seeds: `make soak MINUTES=30`.

What breaks is printed as the shortest sequence of steps that was found, and with the seed that finds it again:
`make soak SEED=1234567`.
"""

from __future__ import annotations

import random
import sys
import time

from hypothesis import seed, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.unit.proof.machine import NothingIsLost
from tests.unit.proof.profiles import STEPS
from tests.unit.proof.ticking import EveryTickRunsOnce


def soak(minutes: float, chosen: int | None) -> int:
    """Run batches of examples until the time is over or a promise breaks; return the exit code."""
    until = time.monotonic() + minutes * 60
    while True:
        number = random.SystemRandom().randrange(2**32) if chosen is None else chosen
        try:
            for machine in (NothingIsLost, EveryTickRunsOnce):
                run_state_machine_as_test(seed(number)(machine), settings=settings.get_profile("proof-soak"))
        except BaseException:
            sys.stderr.write(f"\nmake soak SEED={number} finds this again:\n")
            raise
        whole = NothingIsLost.steps[STEPS]
        sys.stdout.write(f"seed {number}: no promise broke; {whole:,} whole examples of jobs so far\n")
        sys.stdout.flush()
        if chosen is not None or time.monotonic() > until:
            return 0


if __name__ == "__main__":
    sys.exit(soak(float(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 and sys.argv[2] else None))
