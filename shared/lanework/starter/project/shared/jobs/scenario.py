"""What `lanework demo` enqueues, and what must come of it."""

from datetime import timedelta

from jobs.greetings import Greeting, greet
from lanework import Cause, Lane, State
from lanework.testing import Expectation


def scenario() -> list[Expectation]:
    """Return the demo's jobs."""
    in_each_lane = [
        Expectation(request=greet.request(Greeting(), lane=lane, job_id=f"in-{lane}"), shows=f"a greeting, {lane}")
        for lane in Lane
    ]
    return [
        *in_each_lane,
        Expectation(request=greet.request(Greeting(), job_id="twice"), times=2, shows="enqueued twice, runs once"),
        Expectation(
            request=greet.request(Greeting(), job_id="later", delay=timedelta(seconds=3)), shows="delayed by 3 s"
        ),
        Expectation(
            request=greet.request(Greeting(language="fr"), job_id="unknown", attempts=2),
            state=State.DEAD,
            attempts=2,
            cause=Cause.EXHAUSTED,
            shows="a language that it lacks: retried, then dead",
        ),
    ]
