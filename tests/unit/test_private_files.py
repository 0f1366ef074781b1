"""What the embedded stack writes is its user's alone."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from lanework.embedded import StackHandle, read_private
from lanework.errors import StackError
from lanework.local.emulator.private_files import make_private, open_private, write_private
from lanework.local.emulator.process import move_state

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(autouse=True)
def an_open_umask() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


def open_to_others(folder: Path) -> list[str]:
    return [str(one) for one in (folder, *folder.rglob("*")) if not one.is_symlink() and one.stat().st_mode & 0o077]


def test_what_an_earlier_release_left_open_is_closed(tmp_path: Path) -> None:
    home = tmp_path / ".lanework"
    (home / "state" / "deep").mkdir(parents=True)
    for name in ("stack.json", "emulator.log", "state/ssm.json", "state/deep/one"):
        (home / name).write_text("secret")
    (home / "state" / "run").touch(mode=0o777)

    make_private(home)

    assert open_to_others(home) == []
    assert (home / "state" / "run").stat().st_mode & 0o777 == 0o700, "what ran still does"
    assert (home / "state" / "ssm.json").read_text() == "secret"


def test_new_files_and_folders_are_closed_from_the_start(tmp_path: Path) -> None:
    home = tmp_path / "deep" / ".lanework"

    make_private(home)
    move_state(home / "state", "http://127.0.0.1:4566")
    write_private(home / "stack.json", "{}")

    assert open_to_others(home) == []


def test_an_open_file_is_closed_when_it_is_written_anew(tmp_path: Path) -> None:
    file = tmp_path / "emulator.log"
    file.write_text("long before")

    write_private(file, "now")

    assert (file.stat().st_mode & 0o777, file.read_text()) == (0o600, "now")


def test_a_link_in_the_place_of_the_folder_is_refused_and_nothing_behind_it_touched(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir(mode=0o755)
    (tmp_path / ".lanework").symlink_to(elsewhere)

    with pytest.raises(StackError, match="no link to one"):
        make_private(tmp_path / ".lanework")
    assert elsewhere.stat().st_mode & 0o777 == 0o755


def test_a_link_in_the_place_of_a_file_is_refused_and_nothing_behind_it_touched(tmp_path: Path) -> None:
    target = tmp_path / "authorized_keys"
    target.write_text("mine")
    (tmp_path / "emulator.log").symlink_to(target)

    with pytest.raises(StackError, match="is a link or belongs to another user: remove it"):
        open_private(tmp_path / "emulator.log", os.O_WRONLY | os.O_TRUNC)
    with pytest.raises(OSError, match="symbolic links"):
        read_private(tmp_path / "emulator.log")
    assert target.read_text() == "mine"


def test_links_inside_are_the_users_own_business_and_not_followed(tmp_path: Path) -> None:
    outside = tmp_path / "python"
    outside.touch(mode=0o755)
    home = tmp_path / ".lanework"
    home.mkdir()
    (home / "python").symlink_to(outside)
    (home / "nowhere").symlink_to(tmp_path / "gone")

    make_private(home)

    assert outside.stat().st_mode & 0o777 == 0o755


def test_a_handle_behind_a_link_is_no_running_stack(tmp_path: Path) -> None:
    told = tmp_path / "told"
    fields = '"endpoint": "http://x", "region": "r", "stack": "s", "pid": 1, "started_at": "2026-01-01", "lanes": []'
    told.write_text(f"{{{fields}}}")
    (tmp_path / "stack.json").symlink_to(told)

    assert StackHandle.read(told) is not None
    assert StackHandle.read(tmp_path / "stack.json") is None
