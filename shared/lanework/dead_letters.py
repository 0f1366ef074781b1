"""For code that moves dead jobs by `App.dead_letters`: what is asked for, how, and what became of it."""

from lanework.engine.dead_jobs import Plan
from lanework.engine.redrive import Fate
from lanework.engine.rollout import Orders, Outcome
from lanework.model.dead_filter import Filter

__all__ = ["Fate", "Filter", "Orders", "Outcome", "Plan"]
