"""Who may do what over HTTP: roles, the tokens that stand for them, and what is kept of a token."""

from __future__ import annotations

import hmac
import re
import secrets
from dataclasses import dataclass, field
from enum import StrEnum
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from lanework.errors import ConfigError, UnknownNameError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

_ENTRY: Final = re.compile(r"([a-z]+)(?::([a-z0-9_.*+-]+))?:([0-9a-f]{64})")
_PATTERN: Final = re.compile(r"[a-z][a-z0-9_-]*(\.[a-z0-9_-]+)*(\.\*)?")
_BYTES: Final = 32


class Role(StrEnum):
    """What a caller may do. Each role may do what those before it may."""

    VIEWER = "viewer"
    PRODUCER = "producer"
    ADMIN = "admin"

    def may(self, needed: Role) -> bool:
        """Tell whether this role suffices where another is needed."""
        order = list(Role)
        return order.index(self) >= order.index(needed)


def role_of(word: str) -> Role:
    """
    Return the role that a user's word means.

    Raises:
        UnknownNameError: There is none; the message names the nearest.
    """
    try:
        return Role(word.lower())
    except ValueError:
        kind = "role"
        raise UnknownNameError(kind, word, [role.value for role in Role]) from None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens:
    """
    The tokens that are accepted, as their hashes.

    Attributes:
        hashes: Role and hash of each, as `hash_of` makes it.
        scopes: Of some hashes, the job types that their token may enqueue: names, or `email.*`.
    """

    hashes: tuple[tuple[Role, str], ...] = ()
    scopes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @classmethod
    def read(cls, text: str) -> Tokens:
        """
        Read a list of tokens: `role:hash`, separated by commas or white space, as `lanework token new` prints them.

        Raises:
            ConfigError: An entry makes no sense; the message says which, and repeats no hash.
        """
        entries = text.replace(",", " ").split()
        read = [_entry(number, entry) for number, entry in enumerate(entries, start=1)]
        return cls(
            hashes=tuple((role, kept) for role, kept, _ in read),
            scopes={kept: scope for _, kept, scope in read if scope},
        )

    def scope_of_token(self, token: str) -> tuple[str, ...] | None:
        """Return the job types that an accepted token may enqueue; None: all of them."""
        return self.scopes.get(hash_of(token))

    def scope_of_handle(self, handle: str) -> tuple[str, ...] | None:
        """Return the same of the token whose handle a session shows."""
        return next((scope for kept, scope in self.scopes.items() if handle_of(kept) == handle), None)

    def role_of_token(self, token: str) -> Role | None:
        """Return the role that a token stands for, or None. Takes the same time for every token."""
        return self._role_of(hash_of(token), lambda kept: kept)

    def role_of_handle(self, handle: str) -> Role | None:
        """Return the role of the token whose handle a session shows, or None. Takes the same time for every one."""
        return self._role_of(handle, handle_of)

    def _role_of(self, shown: str, name_of: Callable[[str], str]) -> Role | None:
        found: Role | None = None
        for role, kept in self.hashes:
            if hmac.compare_digest(shown.encode(), name_of(kept).encode()):
                found = role
        return found


def new_token(role: Role) -> str:
    """Return a new token: 256 random bits, its role in front for whoever comes across it."""
    return f"lanework_{role}_{secrets.token_urlsafe(_BYTES)}"


def key_of(token: str) -> str:
    """
    Return what a browser keeps instead of the token, as 64 hexadecimal digits.

    It opens a session and nothing else: the token can't be computed from it, nor it from the hash that is kept here. So
    neither a stolen cookie nor a list of hashes that somebody could read is as good as a token.
    """
    return hmac.new(token.encode(), b"lanework session", sha256).hexdigest()


def handle_of(kept: str) -> str:
    """Return what a session names its token by, of the hash that is kept of it; neither follows from it."""
    return hmac.new(kept.encode(), b"lanework session", sha256).hexdigest()[:32]


def hash_of(token: str) -> str:
    """Return what is kept of a token, as 64 hexadecimal digits. Random tokens need neither salt nor a slow hash."""
    return sha256(key_of(token).encode()).hexdigest()


def is_within(name: str, scope: tuple[str, ...] | None) -> bool:
    """Tell whether a job type is one of a scope: by its name, or below `email.*`. No scope is all."""
    return scope is None or any(
        name.startswith(one.removesuffix("*")) if one.endswith(".*") else name == one for one in scope
    )


def checked_scope(role: Role, patterns: Sequence[str]) -> tuple[str, ...]:
    """
    Return the job types that a token is for.

    Raises:
        ConfigError: The role isn't producer, which alone enqueues and does no more, or one names no type.
    """
    if patterns and role is not Role.PRODUCER:
        msg = f"a token for some job types is a producer's, not of the role {role}"
        raise ConfigError(msg)
    for one in patterns:
        if not _PATTERN.fullmatch(one):
            msg = f"{one!r} names no job types: give a name, or the beginning of some, such as 'email.*'"
            raise ConfigError(msg)
    return tuple(patterns)


def _entry(number: int, text: str) -> tuple[Role, str, tuple[str, ...]]:
    found = _ENTRY.fullmatch(text)
    if found is None:
        msg = f"entry {number} of the list of tokens is not role:hash, as `lanework token new` prints it"
        raise ConfigError(msg)
    try:
        role = role_of(found[1])
        return role, found[3], checked_scope(role, found[2].split("+") if found[2] else ())
    except (UnknownNameError, ConfigError) as error:
        msg = f"entry {number} of the list of tokens: {error}"
        raise ConfigError(msg) from error
