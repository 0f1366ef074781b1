"""Which ids a user may give, and how ids spread over the shards of an index."""

from __future__ import annotations

import re
from typing import Final
from zlib import crc32

from lanework.errors import InvalidOptionError

SHARDS: Final = 4
"""
Partitions that one day of an index is spread over. A partition key takes about 1,000 writes a second (DynamoDB, "Best
practices for designing and using partition keys"), so four take 345 million jobs a day; each costs a list one query.
"""

LIMIT: Final = "concurrency:"
"""How the names of limits that hold jobs begin; pauses' names begin otherwise."""

_JOB_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:@=+~-]{0,127}")
_WORKFLOW: Final = re.compile(rf"workflow/{_JOB_ID.pattern}(/ended|/failed)?")
_JOB_TYPE: Final = re.compile(r"[a-z][a-z0-9_-]*(\.[a-z0-9_-]+)*")
_QUEUE: Final = re.compile(r"[a-z][a-z0-9_-]{0,63}")
_TENANT: Final = re.compile(r"[!-~]{1,128}")
_LONGEST_TYPE: Final = 100
_LONGEST_WORKFLOW: Final = 96


def checked_job_id(job_id: str) -> str:
    """
    Return the id if it may name a job.

    Raises:
        InvalidOptionError: It is empty, over 128 characters, or holds a character that a URL, SQS or a log can't.
    """
    if _JOB_ID.fullmatch(job_id):
        return job_id
    msg = (
        f"job_id {job_id!r} can't be used: 1 to 128 of letters, digits and _ . : @ = + ~ -, "
        "beginning with a letter or digit"
    )
    raise InvalidOptionError(msg)


def checked_parent(name: str) -> str:
    """
    Return the name of what a job waits for: a job's id, or `workflow/ID`, perhaps with `/ended` or `/failed`.

    Raises:
        InvalidOptionError: It names nothing that could exist.
    """
    if _WORKFLOW.fullmatch(name):
        return name
    return checked_job_id(name)


def checked_workflow_id(workflow_id: str) -> str:
    """
    Return the id if it may name a workflow: the ids of its jobs begin with it.

    Raises:
        InvalidOptionError: It can't be a job's, or is over 96 characters.
    """
    if len(workflow_id) <= _LONGEST_WORKFLOW and _JOB_ID.fullmatch(workflow_id):
        return workflow_id
    msg = (
        f"workflow_id {workflow_id!r} can't be used: 1 to {_LONGEST_WORKFLOW} of the characters that a job_id may have"
    )
    raise InvalidOptionError(msg)


def checked_job_type(name: str) -> str:
    """
    Return the name if it may name a job type: dotted lower-case words such as `user.signin.notification`.

    Raises:
        InvalidOptionError: It may not.
    """
    if len(name) <= _LONGEST_TYPE and _JOB_TYPE.fullmatch(name):
        return name
    msg = (
        f"job type {name!r} can't be used: dotted words of lower-case letters, digits, _ and -, "
        f"at most {_LONGEST_TYPE} characters, such as 'user.signin.notification'"
    )
    raise InvalidOptionError(msg)


def checked_queue(name: str) -> str:
    """
    Return the name if it may name a queue: one lower-case word of at most 64 characters.

    Raises:
        InvalidOptionError: It may not.
    """
    if _QUEUE.fullmatch(name):
        return name
    msg = f"queue {name!r} can't be used: one word of lower-case letters, digits, _ and -, at most 64 characters"
    raise InvalidOptionError(msg)


def checked_tenant(tenant: str) -> str:
    """
    Return the tenant if it may go with a message as its group (SQS, SendMessage, "MessageGroupId").

    Raises:
        InvalidOptionError: It is empty, over 128 characters, or holds a space or a character outside of ASCII.
    """
    if _TENANT.fullmatch(tenant):
        return tenant
    msg = (
        f"tenant {tenant!r} can't be used: 1 to 128 printable ASCII characters without spaces, such as an account's id"
    )
    raise InvalidOptionError(msg)


def shard_of(job_id: str) -> int:
    """Return the shard that a job's index entries belong to, from 0; the same for ever for the same id."""
    return crc32(job_id.encode()) % SHARDS


def held_shard(name: str, job_id: str) -> int:
    """
    Return the shard that a held job's entry belongs to, from 0.

    What a limit holds is in one, so that one query finds who has waited longest; what a pause holds, a whole lane
    perhaps, is spread over all.
    """
    return 0 if name.startswith(LIMIT) else shard_of(job_id)
