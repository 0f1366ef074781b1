"""Reads a project's `.env`: variables for this machine, which no function on AWS ever sees."""

from __future__ import annotations

from io import StringIO
from typing import TYPE_CHECKING, Final

from lanework.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path

NAME: Final = ".env"


def read_env_file(root: Path) -> dict[str, str]:
    """
    Return the variables of a project's `.env`, by their names: none if there is no such file.

    Raises:
        ConfigError: It can't be read, a line of it makes no sense, or what reads it isn't installed.
    """
    try:
        text = (root / NAME).read_text(encoding="utf-8")
    except FileNotFoundError:
        return {}
    except OSError as error:
        msg = f"can't read {NAME}: {error.strerror}"
        raise ConfigError(msg) from None
    except UnicodeDecodeError as error:
        msg = f"{NAME} is no UTF-8 text: {error}"
        raise ConfigError(msg) from None
    return _parsed(text)


def _parsed(text: str) -> dict[str, str]:
    try:
        from dotenv import dotenv_values  # noqa: PLC0415 - only in the extra `local`
        from dotenv.parser import parse_stream  # noqa: PLC0415 - as above
    except ImportError as error:
        msg = f"reading {NAME} needs an extra: pip install 'lanework[local]'"
        raise ConfigError(msg) from error
    for one in parse_stream(StringIO(text)):
        if one.error or (one.key is not None and one.value is None):
            line = one.original.line + len(one.original.string) - len(one.original.string.lstrip("\n"))
            msg = f"{NAME}:{line}: write NAME=value, with quotes around a value that has spaces or a #"
            raise ConfigError(msg)
    return {name: value or "" for name, value in dotenv_values(stream=StringIO(text)).items()}
