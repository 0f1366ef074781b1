"""The API function."""

from jobs import app
from lanework.edges.api import api

handler = api(app)
