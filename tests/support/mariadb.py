"""A MariaDB server of Debian's, as tests use it: its own data, a free port on loopback, no service."""

from __future__ import annotations

import os
import shutil
import subprocess
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING

from sqlalchemy import create_engine
from sqlalchemy.exc import OperationalError

from lanework.local.emulator.process import wait_for
from tests.support.ports import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def mariadb() -> Iterator[str]:
    """Run a server for as long as the block; yield the address of its database, `mysql+pymysql://…`."""
    server, install = shutil.which("mariadbd", path="/usr/sbin"), shutil.which("mariadb-install-db")
    assert server is not None, "there is no MariaDB: apt-get install mariadb-server"
    assert install is not None
    folder, port = Path(mkdtemp(prefix="lanework-mariadb-")), free_port()
    who = ["--user=root"] if os.geteuid() == 0 else []
    own = ["--no-defaults", f"--datadir={folder / 'data'}", *who]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    subprocess.run([install, *own, "--auth-root-authentication-method=normal"], check=True, **quiet)  # type: ignore[call-overload]
    options = ["--bind-address=127.0.0.1", f"--port={port}", f"--socket={folder / 'socket'}", "--skip-log-bin"]
    process = subprocess.Popen([server, *own, *options], **quiet)  # type: ignore[call-overload]
    try:
        _make_database(f"mysql+pymysql://root@127.0.0.1:{port}/")
        yield f"mysql+pymysql://root@127.0.0.1:{port}/shop"
    finally:
        process.terminate()
        process.wait(timeout=30)
        shutil.rmtree(folder, ignore_errors=True)


def _make_database(address: str) -> None:
    engine = create_engine(address, isolation_level="AUTOCOMMIT")

    def is_made() -> bool:
        try:
            with engine.connect() as connection:
                connection.exec_driver_sql("CREATE DATABASE IF NOT EXISTS shop")
        except OperationalError:
            return False
        return True

    wait_for(is_made, within=timedelta(seconds=30), what="the server")
    engine.dispose()
