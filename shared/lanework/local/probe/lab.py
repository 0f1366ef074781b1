"""What probes work with: clients that count their calls, and resources that are deleted afterwards."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from threading import Lock, local
from typing import TYPE_CHECKING, Any, Final

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

if TYPE_CHECKING:
    from collections.abc import Callable

    from boto3.session import Session

TAG: Final = "lanework:probe"
"""Tag of all that a probe makes; its value is the prefix of the names."""

_AGAIN_S: Final = 0.5

_GONE: Final = ("NonExistent", "NotFound", "NoSuchEntity", "does not exist", "QueueDoesNotExist")
_DELETE_TRIES: Final = 5


class DiffersError(Exception):
    """Raised when what was seen is not what AWS documents: its text says what was."""


class StoppedError(Exception):
    """Raised by each call of a probe after the run was stopped, or has made all the calls that it may."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """
    How long probes wait, and how much they ask for.

    Attributes:
        patience_s: How long something that must come is waited for.
        quiet_s: How long is waited to see that something doesn't come.
        long_poll_s: How long a receive waits, in whole seconds: fewer calls where it is long.
        burst: Messages that are handed to a function at once, each of which takes a second.
        poll_s: How long is waited between two looks.
        most_calls: Calls after which the run stops, whatever is left.
        at_once: How many probes run at once.
        answer_within_s: How long a call waits for its answer. AWS needs less than a minute; an emulator's machine may
            do other work.
    """

    patience_s: float = 180
    quiet_s: float = 5
    long_poll_s: int = 10
    poll_s: float = 1
    burst: int = 40
    most_calls: int = 3000
    at_once: int = 8
    answer_within_s: float = 60


class _Locks:
    """A lock for each name, so that the making of one thing waits for no other."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._locks: dict[str, Any] = {}

    def of(self, name: str) -> Any:  # noqa: ANN401 - a lock
        with self._lock:
            return self._locks.setdefault(name, Lock())


@dataclass(slots=True, kw_only=True)
class Lab:
    """
    One run's clients and resources. Its probes run in several threads.

    Attributes:
        session: Makes the clients.
        endpoint: Where AWS is, if elsewhere than AWS.
        prefix: Begins the name of everything that is made.
        calls: How many calls were made.
        left: What could not be deleted, by name, with the reason.
    """

    session: Session
    prefix: str
    endpoint: str | None = None
    pace: Pace = field(default_factory=Pace)
    calls: int = 0
    left: dict[str, str] = field(default_factory=dict)
    _clients: dict[str, Any] = field(default_factory=dict)
    _shared: dict[str, Any] = field(default_factory=dict)
    _deletions: list[tuple[str, Callable[[], object]]] = field(default_factory=list)
    _lock: Any = field(default_factory=Lock)
    _making: Any = field(default_factory=_Locks)
    _is_stopped: bool = False
    _deleting: Any = field(default_factory=local)
    _names: int = 0

    def client(self, service: Any) -> Any:  # noqa: ANN401 - boto's clients have a type each
        """Return the client of a service, which all probes share. It checks no parameters: AWS is to do so."""
        with self._lock:
            if service not in self._clients:
                config = Config(
                    parameter_validation=False,
                    connect_timeout=5,
                    read_timeout=self.pace.answer_within_s,
                    max_pool_connections=20,
                    retries={"mode": "standard", "total_max_attempts": 4 if self.endpoint is None else 1},
                    proxies=None if self.endpoint is None else {},
                )
                client = self.session.client(service, endpoint_url=self.endpoint, config=config)
                client.meta.events.register_first("before-call", self._count)
                self._clients[service] = client
            return self._clients[service]

    def _count(self, **_: object) -> None:
        if getattr(self._deleting, "is_on", False):
            return
        with self._lock:
            self.calls += 1
            if self._is_stopped or self.calls > self.pace.most_calls:
                problem = "the run was stopped" if self._is_stopped else f"{self.pace.most_calls:,} calls were made"
                raise StoppedError(problem)

    def stop(self) -> None:
        """Let each further call of a probe fail; deletions go on."""
        self._is_stopped = True

    def name(self) -> str:
        """Return a name that nothing has yet."""
        with self._lock:
            self._names += 1
            return f"{self.prefix}-{self._names}"

    def shared(self, what: str, make: Callable[[], Any]) -> Any:  # noqa: ANN401 - whatever is made
        """Return what several probes use; the first one makes it. If that fails, it fails for all, and once only."""
        with self._making.of(what):
            if what not in self._shared:
                try:
                    self._shared[what] = make()
                except Exception as error:
                    self._shared[what] = error
                    raise
            if isinstance(self._shared[what], Exception):
                raise self._shared[what]
            return self._shared[what]

    def delete_later(self, name: str, delete: Callable[[], object]) -> None:
        """Note how something is deleted, before it is made: whatever interrupts the making."""
        with self._lock:
            self._deletions.append((name, delete))

    def delete_all(self) -> None:
        """
        Delete all that was made, the latest first; what stays, and why, is in `left`.

        A Ctrl-C on the way is heeded when all is gone; the second one at once, and what stays is in `left`.
        """
        self._deleting.is_on = True
        try:
            self._delete()
            for client in self._clients.values():
                client.close()
        except KeyboardInterrupt:
            try:
                self._delete()
            finally:
                self.left |= {name: "interrupted" for name, _ in self._deletions}
            raise

    def _delete(self) -> None:
        while self._deletions:
            name, delete = self._deletions[-1]
            problem = _try(delete)
            if problem is not None:
                self.left[name] = problem
            self._deletions.pop()

    def wait_for(self, is_so: Callable[[], Any], *, what: str, within_s: float | None = None) -> Any:  # noqa: ANN401
        """
        Ask until the answer is something.

        Raises:
            DiffersError: It didn't come within the time, by default the pace's patience.
        """
        limit = time.monotonic() + (self.pace.patience_s if within_s is None else within_s)
        while True:
            found = is_so()
            if found:
                return found
            if time.monotonic() > limit:
                raise DiffersError(what)
            time.sleep(self.pace.poll_s)


def _try(delete: Callable[[], object]) -> str | None:
    """Delete something; return why that failed, unless it is not there."""
    for again in reversed(range(_DELETE_TRIES)):
        try:
            delete()
        except ClientError as error:
            problem = f"{error.response['Error']['Code']}: {error.response['Error'].get('Message', '')}"
            if any(one in problem for one in _GONE):
                return None
            if not again:
                return problem
        except BotoCoreError as error:
            if not again:
                return str(error)
        else:
            return None
        time.sleep(_AGAIN_S)
    return None


def refused(call: Callable[[], Any], *codes: str) -> str:
    """
    Make a call that AWS refuses with one of these codes; return the code.

    Raises:
        DiffersError: It was accepted, or refused otherwise.
    """
    try:
        call()
    except ClientError as error:
        code = str(error.response["Error"]["Code"])
        if code in codes:
            return code
        problem = f"refused with {code}"
        raise DiffersError(problem) from error
    problem = "accepted"
    raise DiffersError(problem)


def check(holds: object, otherwise: str) -> None:
    """
    Do nothing if something holds.

    Raises:
        DiffersError: It doesn't.
    """
    if not holds:
        raise DiffersError(otherwise)
