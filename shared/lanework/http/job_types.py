"""Which job types a request may bring data to: those of the application that aren't kept from HTTP (`api=False`)."""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import TYPE_CHECKING

from lanework.errors import UnknownJobTypeError, did_you_mean
from lanework.http.problems import ProblemError
from lanework.model.job.ids import QUEUE_OF_OURS

if TYPE_CHECKING:
    from lanework.engine.jobtypes.job_type import JobType
    from lanework.engine.jobtypes.registry import Registry


def check_api(type_: str, registry: Registry) -> None:
    """
    Refuse to bring data into a job over HTTP where its type is kept from it, or is Lanework's own, whoever asks.

    Data is whatever the job's code gets to see: a payload, an edited one, a signal; so is a run beside a schedule's
    ticks. What an admin does with a job as it is, such as a cancel or a redrive, is no data.

    Raises:
        ProblemError: 403.
        UnknownJobTypeError: This code doesn't know the type, and so not whether it may.
    """
    if _is_open(registry.get(type_)):
        return
    detail = (
        f"{type_} takes no data over HTTP, whatever the token's role: its signals, payloads and runs come from the "
        "application's own code or the command line"
    )
    raise ProblemError(HTTPStatus.FORBIDDEN, "kept-from-http", detail)


def open_names(registry: Registry) -> list[str]:
    """Return the names of the job types that a request may bring data to, sorted."""
    return [one.name for one in registry.types if _is_open(one)]


def type_called(name: str, registry: Registry) -> JobType:
    """
    Return a job type that a caller may name. Lanework's own are not among them: what they do has endpoints and roles.

    Raises:
        UnknownJobTypeError: There is none; the message names the nearest.
    """
    if name in open_names(registry):
        return registry.get(name)
    kind = "job type"
    raise UnknownJobTypeError(kind, name, open_names(registry))


def type_in(name: str, registry: Registry) -> JobType:
    """
    Return the job type that is called so, or called so before, or whose name alone has these words in a row.

    `signin-notification` means `user.signin.notification`.

    Raises:
        ProblemError: No type has, or several do; the problem names them.
    """
    known = registry.find(name)
    if known is not None and _is_open(known):
        return known
    words, names = _words(name), open_names(registry)
    found = [one for one in names if _has(_words(one), words)]
    chosen = [one for one in found if _words(one) == words] or found
    if len(chosen) == 1:
        return registry.get(chosen[0])
    hint = f": did you mean {' or '.join(found)}?" if found else did_you_mean(name, names)
    detail = f"{'several job types are' if found else 'no job type is'} called {name!r}{hint}"
    raise ProblemError(HTTPStatus.NOT_FOUND, "unknown-job-type", detail)


def _is_open(job_type: JobType) -> bool:
    return job_type.queue != QUEUE_OF_OURS and job_type.api


def _words(name: str) -> list[str]:
    return re.split(r"[._-]", name.lower())


def _has(words: list[str], wanted: list[str]) -> bool:
    return any(words[start : start + len(wanted)] == wanted for start in range(len(words)))
