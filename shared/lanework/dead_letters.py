"""For code that moves dead jobs by `App.dead_letters`: what is asked for, how, and what became of it."""

from lanework.engine.deadletters.bulk_redrive import RedriveSummary
from lanework.engine.deadletters.query import RedrivePlan
from lanework.engine.deadletters.redrive import RedriveResult
from lanework.engine.jobtypes.builtin import RedriveOptions
from lanework.model.job.dead_filter import DeadFilter

__all__ = ["DeadFilter", "RedriveOptions", "RedrivePlan", "RedriveResult", "RedriveSummary"]
