"""The clock function."""

from jobs import app
from lanework.edges.clock import clock

handler = clock(app)
