"""The family `cleanup`: removes what the application no longer needs, one cleanup at a time."""

from jobs.cleanup.family import cleanup
from jobs.cleanup.files import OldFiles, TempFiles, delete_old_artifacts, delete_temp_files
from jobs.cleanup.logs import OldArchives, OldLogs, archive_old_logs, delete_old_archives
from jobs.cleanup.tokens import ExpiredTokens, delete_expired_tokens

__all__ = [
    "ExpiredTokens",
    "OldArchives",
    "OldFiles",
    "OldLogs",
    "TempFiles",
    "archive_old_logs",
    "cleanup",
    "delete_expired_tokens",
    "delete_old_archives",
    "delete_old_artifacts",
    "delete_temp_files",
]
