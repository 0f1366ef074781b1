"""For code that moves dead jobs by `App.dead_letters`: what is asked for, how, and what became of it."""

from lanework.engine.deadletters.bulk_redrive import Outcome
from lanework.engine.deadletters.query import Plan
from lanework.engine.deadletters.redrive import Fate
from lanework.engine.jobtypes.builtin import RedriveOptions
from lanework.model.job.dead_filter import Filter

__all__ = ["Fate", "Filter", "Outcome", "Plan", "RedriveOptions"]
