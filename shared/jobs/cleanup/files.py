"""Temporary files and build artifacts that nobody needs any more."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

from pydantic import Field

from jobs.cleanup.family import cleanup
from jobs.clock import utc_now
from jobs.payloads import Payload
from jobs.settings import file_settings
from lanework import Public, Run


class TempFiles(Payload):
    """
    Which temporary files to delete.

    Attributes:
        older_than_hours: Since they were last written, 1 to 8,760, default 24.
    """

    older_than_hours: Public[int] = Field(default=24, ge=1, le=8760)


class OldFiles(Payload):
    """
    Which artifacts to delete.

    Attributes:
        older_than_days: Since they were last written, 1 to 3,650, default 7.
    """

    older_than_days: Public[int] = Field(default=7, ge=1, le=3650)


def app_files() -> Path:
    """Return the folder that the settings name."""
    return file_settings().folder


@cleanup.job("cleanup.temp-files", cron="0 4 * * *")
def delete_temp_files(
    which: TempFiles, run: Run, *, folder: Callable[[], Path] = app_files, now: Callable[[], datetime] = utc_now
) -> int:
    """Delete the temporary files that are old enough, and return how many."""
    return _delete(folder() / "temp", now() - timedelta(hours=which.older_than_hours), run)


@cleanup.job("cleanup.old-artifacts", cron="0 4 * * SUN")
def delete_old_artifacts(
    which: OldFiles, run: Run, *, folder: Callable[[], Path] = app_files, now: Callable[[], datetime] = utc_now
) -> int:
    """Delete the build artifacts that are old enough, and return how many."""
    return _delete(folder() / "artifacts", now() - timedelta(days=which.older_than_days), run)


def _delete(folder: Path, before: datetime, run: Run) -> int:
    deleted = 0
    for file in _older(folder, before):
        file.unlink(missing_ok=True)
        deleted += 1
    run.log(f"{deleted} files deleted")
    return deleted


def _older(folder: Path, before: datetime) -> Iterator[Path]:
    """Yield the files below a folder that were last written before a moment; a link counts as itself."""
    for path in sorted(folder.rglob("*")) if folder.is_dir() else ():
        if path.is_symlink() or path.is_file():
            try:
                written = path.lstat().st_mtime
            except FileNotFoundError:
                continue
            if written < before.timestamp():
                yield path
