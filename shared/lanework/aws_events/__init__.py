"""Events of AWS become jobs: `reports.on(S3Created("bucket", prefix="in/"), import_report)`. See docs/aws-events.md."""

from lanework.aws_events.received import Event, S3Object
from lanework.aws_events.sources import EventPattern, S3Created, SnsTopic, SqsQueue

__all__ = ["Event", "EventPattern", "S3Created", "S3Object", "SnsTopic", "SqsQueue"]
