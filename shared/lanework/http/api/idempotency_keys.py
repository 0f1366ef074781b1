"""The Idempotency-Key header: a request that is repeated with it enqueues nothing new, and another one is refused."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from hashlib import sha256
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from lanework.errors import InvalidOptionError, JobIdTakenError
from lanework.http.problems import ProblemError
from lanework.model.job.ids import KEY
from lanework.model.job.payload import digest_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lanework.app import App
    from lanework.engine.jobtypes.receipt import Receipt
    from lanework.engine.jobtypes.request import Request

LONGEST_KEY: Final = 255


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """
    A request's key.

    Attributes:
        text: The key.
        digest: Of all that the request says.
    """

    text: str
    digest: str

    def job_id(self, number: int) -> str:
        """Return the id of the job that the key means: the same for the same key and place in the request."""
        return f"{KEY}{sha256(f'{number} {self.text}'.encode()).hexdigest()[:40]}"

    def reused(self) -> ProblemError:
        """Return the refusal of the key, which went with another request before (IETF, draft Idempotency-Key)."""
        return ProblemError(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            "idempotency-key-reused",
            f"Idempotency-Key {self.text!r} was used with another request before: use a new key for this one, "
            "or repeat that one as it was",
        )


def key_of(header: str | None, *, path: str, body: str) -> Key | None:
    """
    Return the key that a request has, if it has one.

    Args:
        header: The header, None if it isn't there.
        path: The request's path, which may name a job type.
        body: Its body; how it is spaced, and in which order its fields come, doesn't matter.

    Raises:
        InvalidOptionError: The key is empty, too long, or isn't printable ASCII.
    """
    if header is None:
        return None
    text = header.strip()
    if not 1 <= len(text) <= LONGEST_KEY or not (text.isascii() and text.isprintable()):
        got = "it is empty" if not text else f"got {len(text)} characters" if len(text) > LONGEST_KEY else repr(text)
        msg = (
            f"Idempotency-Key takes 1 to {LONGEST_KEY} printable ASCII characters, such as a UUID, and {got}; "
            "without the header a repeated request isn't recognised"
        )
        raise InvalidOptionError(msg)
    said = json.dumps([path.rstrip("/"), json.loads(body)], sort_keys=True, separators=(",", ":"))
    return Key(text=text, digest=digest_of(said))


def with_key(request: Request, key: Key | None, number: int) -> Request:
    """
    Return a request under its key.

    Raises:
        InvalidOptionError: It is debounced, and has no id that could be given.
    """
    if key is None:
        return request
    if request.debounce is not None:
        msg = "a debounced job starts when its window is over, under an id of its own: leave out the Idempotency-Key"
        raise InvalidOptionError(msg)
    return replace(request, job_id=key.job_id(number), digest=key.digest)


def once(requests: Sequence[Request], key: Key | None, app: App) -> Sequence[Receipt[Any]]:
    """
    Enqueue what a request asks for, once for each key.

    Jobs under the key's ids are looked up before: were the key used by another request, none is enqueued. Another job
    that stands in the way of unique work is none of the key's: its receipt says so.

    Raises:
        ProblemError: 422: the key went with another request before.
    """
    if key is None:
        return app.enqueue_many(requests)
    ids = [str(one.job_id) for one in requests]
    if len(requests) > 1:
        found = app.ports.ledger.get_many(ids, consistent=True).values()
        now = app.ports.clock()
        if any(one.request_digest != key.digest for one in found if not one.is_expired(now)):
            raise key.reused()
    try:
        receipts = app.enqueue_many(requests)
    except JobIdTakenError as error:
        raise key.reused() from error
    if any(one.payload_differs and one.job_id == job_id for one, job_id in zip(receipts, ids, strict=True)):
        raise key.reused()
    return receipts
