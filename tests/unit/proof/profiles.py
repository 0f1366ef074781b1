"""How long the proof goes on looking: hypothesis' settings, by name."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

from tests.support.proof_size import IS_FULL

STEPS = 50

WHOLE = 500 if IS_FULL else 150
"""How many examples are to have all their steps, at least."""

_COMMON = settings(
    stateful_step_count=STEPS,
    deadline=None,
    database=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
)

# The same examples on every run: a red build is red for everybody, none by chance. `make soak` looks further.
settings.register_profile("proof", _COMMON, max_examples=1_500 if IS_FULL else 300, derandomize=True)
settings.register_profile("proof-soak", _COMMON, max_examples=300)
ON_MOTO = "proof-on-moto"
settings.register_profile(ON_MOTO, _COMMON, max_examples=8 if IS_FULL else 1, stateful_step_count=30, derandomize=True)
SCHEDULES = "proof-of-schedules"
settings.register_profile(
    SCHEDULES, _COMMON, max_examples=200 if IS_FULL else 60, stateful_step_count=30, derandomize=True
)
