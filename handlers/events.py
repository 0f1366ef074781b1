"""The function behind the queues of events of AWS, where the application has sources for them."""

from jobs import app
from lanework.aws_events.handler import event_handler

handler = event_handler(app)
