"""The worker function of every lane."""

from jobs import app
from lanework.edges.worker import worker

handler = worker(app)
