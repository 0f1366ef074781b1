"""A PostgreSQL server of Debian's, as tests use it: its own data, a free port on loopback, no service."""

from __future__ import annotations

import os
import shutil
import subprocess
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING, Final

from tests.support.ports import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator

USER: Final = "lanework"


@contextmanager
def postgresql() -> Iterator[str]:
    """Run a server for as long as the block; yield the address of its database, `postgresql://…`."""
    programs = max(Path("/usr/lib/postgresql").glob("*/bin"), default=None)
    assert programs is not None, "there is no PostgreSQL: apt-get install postgresql"
    folder = Path(mkdtemp(prefix="lanework-postgresql-"))
    folder.chmod(0o777)  # the server refuses to be root's, and whoever it is then makes its folder in here
    data, port = folder / "data", free_port()
    try:
        _as_nobody(programs / "initdb", "--pgdata", data, "--username", USER, "--auth", "trust", "--no-sync")
        options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={folder}"
        options += " -c fsync=off -c max_prepared_transactions=4"
        _as_nobody(programs / "pg_ctl", "--pgdata", data, "--log", folder / "log", "--wait", "-o", options, "start")
        try:
            yield f"postgresql://{USER}@127.0.0.1:{port}/postgres"
        finally:
            _as_nobody(programs / "pg_ctl", "--pgdata", data, "--wait", "--mode", "fast", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _as_nobody(program: Path, *arguments: object) -> None:
    words = [str(program), *map(str, arguments)]
    who = {"user": "nobody", "group": "nogroup", "extra_groups": []} if os.geteuid() == 0 else {}
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/", **who)  # type: ignore[call-overload]
