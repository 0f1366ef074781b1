"""Which ids a user may give, and how ids spread over the shards of an index."""

from __future__ import annotations

import re
from typing import Final
from zlib import crc32

from lanework.errors import InvalidOptionError, shown

SHARDS: Final = 4
"""
Partitions that an index is spread over, and the least that a day of the index of recent jobs is. A partition key takes
about 1,000 writes a second (DynamoDB, "Best practices for designing and using partition keys"), so four take 345
million jobs a day, if they come evenly; each costs a list one query.
"""

LIMIT: Final = "concurrency:"
"""How the names of limits that hold jobs begin; pauses' names begin otherwise."""

OURS: Final = "lanework."
"""How the names of Lanework's own job types begin."""

QUEUE_OF_OURS: Final = "lanework"
"""Queue of Lanework's own jobs."""

_JOB_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:@=+~-]{0,127}")
KEY: Final = "key-"
"""How the id of a job begins that was asked for with an Idempotency-Key."""

_OURS: Final = re.compile(
    r"lanework[.-].*"
    r"|[a-z0-9][a-z0-9._-]{0,63}@\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d)?Z(\+[a-z0-9]+)?"
    r"|webhook-[0-9a-f]{32}(\+\d)?"
    r"|alert-.+@\d{8}T\d{6}-(raised|resolved)(\+\d)?"
    rf"|{KEY}[0-9a-f]{{40}}"
)
"""
Ids of our own: of Lanework's jobs, of schedules' runs (`nightly@2026-11-30T00:39Z`), of webhooks, of alerts' jobs, and
of requests with an Idempotency-Key. What a job makes of its own, as `nightly@2026-11-30T00:39Z.mail`, is none of them.
"""

_WORKFLOW: Final = re.compile(rf"workflow/{_JOB_ID.pattern}(/ended|/failed)?")
_JOB_TYPE: Final = re.compile(r"[a-z][a-z0-9_-]*(\.[a-z0-9_-]+)*")
_QUEUE: Final = re.compile(r"[a-z][a-z0-9_-]{0,63}")
_TENANT: Final = re.compile(r"[!-~]{1,128}")
_LONGEST_TYPE: Final = 100
_LONGEST_WORKFLOW: Final = 96


def checked_job_id(job_id: str) -> str:
    """Return the id if a caller may give it to a job: well formed, and none of our own."""
    if is_ours(well_formed_job_id(job_id)):
        msg = (
            f"job_id {job_id!r} can't be used: it is an id of Lanework's own, as a schedule's run, a webhook or an "
            "alert has; put a prefix of your own before it"
        )
        raise InvalidOptionError(msg)
    return job_id


def is_ours(job_id: str) -> bool:
    """Tell whether an id is one that Lanework makes itself, and that no caller may give to a job."""
    return _OURS.fullmatch(job_id) is not None


def needs_record(job_id: str) -> bool:
    """Tell whether a job under this id is never sent without a record: whoever makes it tries again instead."""
    return is_ours(job_id) and not job_id.startswith(KEY)


def well_formed_job_id(job_id: str) -> str:
    """Return the id if a job may have it, whoever gives it: no URL, SQS or log refuses one of its characters."""
    rule = "1 to 128 of letters, digits and _ . : @ = + ~ -, beginning with a letter or digit"
    return _checked(_JOB_ID, "job_id", job_id, rule)


def checked_parent(name: str) -> str:
    """Return the name of what a job waits for: a job's id, or `workflow/ID`, perhaps with `/ended` or `/failed`."""
    return name if _fits(_WORKFLOW, name) else well_formed_job_id(name)


def checked_workflow_id(workflow_id: str) -> str:
    """Return the id if it may name a workflow: the ids of its jobs begin with it."""
    rule = f"1 to {_LONGEST_WORKFLOW} of the characters that a job_id may have"
    return _checked(_JOB_ID, "workflow_id", workflow_id, rule, most=_LONGEST_WORKFLOW)


def checked_job_type(name: str) -> str:
    """Return the name if it may name a job type: dotted lower-case words such as `user.signin.notification`."""
    words = f"dotted words of lower-case letters, digits, _ and -, at most {_LONGEST_TYPE} characters"
    return _checked(_JOB_TYPE, "job type", name, f"{words}, such as 'user.signin.notification'", most=_LONGEST_TYPE)


def checked_queue(name: str) -> str:
    """Return the name if it may name a queue: one lower-case word of at most 64 characters."""
    rule = "one word of lower-case letters, digits, _ and -, at most 64 characters"
    return _checked(_QUEUE, "queue", name, rule)


def checked_tenant(tenant: str) -> str:
    """Return the tenant if it may go with a message as its group (SQS, SendMessage, "MessageGroupId")."""
    rule = "1 to 128 printable ASCII characters without spaces, such as an account's id"
    return _checked(_TENANT, "tenant", tenant, rule)


def _checked(pattern: re.Pattern[str], kind: str, name: str, rule: str, *, most: int = 128) -> str:
    if _fits(pattern, name) and len(name) <= most:
        return name
    msg = f"{kind} {shown(name)} can't be used: {rule}"
    raise InvalidOptionError(msg)


def shard_of(job_id: str, shards: int = SHARDS) -> int:
    """Return which of so many shards a job's index entry belongs to, from 0; the same for ever for the same id."""
    return crc32(job_id.encode()) % shards


def held_shard(name: str, job_id: str) -> int:
    """
    Return the shard that a held job's entry belongs to, from 0.

    What a limit holds is in one, so that one query finds who has waited longest; what a pause holds, a whole lane
    perhaps, is spread over all.
    """
    return 0 if name.startswith(LIMIT) else shard_of(job_id)


def _fits(pattern: re.Pattern[str], name: object) -> bool:
    return isinstance(name, str) and pattern.fullmatch(name) is not None
