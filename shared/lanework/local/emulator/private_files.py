"""Files of the embedded stack, which are the user's alone: its state holds payloads, tokens' hashes and secrets."""

from __future__ import annotations

import fcntl
import os
import stat
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Final

from lanework.errors import StackError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_OTHERS: Final = 0o077
_FILE: Final = 0o600
_FOLDER: Final = 0o700


def make_private(folder: Path) -> None:
    """
    Make a folder if need be, and let nobody but the user into it or into anything that is there already.

    Raises:
        StackError: It is a link, or something in it belongs to somebody else.
    """
    with suppress(FileExistsError):
        folder.mkdir(mode=_FOLDER, parents=True)
    if folder.is_symlink() or not folder.is_dir():
        problem = f"{folder} has to be a folder, and no link to one: what is written there is for you alone"
        raise StackError(problem)
    _close(folder)
    for parent, folders, files in os.walk(folder):  # downwards: once its parent is closed, nobody can add to a folder
        for name in (*folders, *files):
            _close(os.path.join(parent, name))  # noqa: PTH118 - an emulator's environment has 10,000 files


def write_private(path: Path, text: str) -> None:
    """
    Write a file that only the user can read.

    Raises:
        StackError: It is a link, or somebody else's.
    """
    with os.fdopen(open_private(path, os.O_WRONLY | os.O_TRUNC), "w", encoding="utf-8") as file:
        file.write(text)


def open_private(path: Path, flags: int) -> int:
    """
    Return a descriptor of a file that only the user can read, made if need be; what is there is closed to others.

    Raises:
        StackError: It is a link, or somebody else's.
    """
    try:
        descriptor = os.open(path, flags | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, _FILE)
    except OSError as error:
        raise StackError(_not_yours(path)) from error
    if os.fstat(descriptor).st_uid != os.getuid():
        os.close(descriptor)
        raise StackError(_not_yours(path))
    os.fchmod(descriptor, _FILE)
    return descriptor


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """
    Let one process of this user at a time be in such a block with this file.

    Raises:
        StackError: It is a link, or somebody else's.
    """
    with os.fdopen(open_private(path, os.O_WRONLY), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _close(path: Path | str) -> None:
    try:
        status = os.lstat(path)
    except FileNotFoundError:
        return
    if status.st_uid != os.getuid():
        raise StackError(_not_yours(path))
    if not stat.S_ISLNK(status.st_mode) and status.st_mode & _OTHERS:
        os.chmod(path, stat.S_IMODE(status.st_mode) & ~_OTHERS)  # noqa: PTH101 - as above


def _not_yours(path: Path | str) -> str:
    return f"{path} is a link or belongs to another user: remove it, and it is made again for you alone"
