"""The worker function of every lane."""

from aws_lambda_powertools.utilities import batch  # noqa: F401 - before pydantic, or it brings Powertools' parser

from jobs import app
from lanework.edges.worker import worker

handler = worker(app)
