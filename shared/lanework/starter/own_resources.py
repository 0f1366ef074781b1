"""A project's own resources: a file beside the template, in CloudFormation's words, that becomes part of it."""

from __future__ import annotations

import re
from typing import Any, Final

from lanework.errors import ConfigError, did_you_mean, shown
from lanework.local.deployment.template import parsed

SECTIONS: Final = ("Parameters", "Conditions", "Resources", "Outputs")
"""What the file may have."""


def with_resources(text: str, own: str, *, file: str) -> str:
    """
    Return a template with a project's own parts at the end of its sections.

    Args:
        text: The template.
        own: The file's text.
        file: Its name, for errors and for the comment above what comes from it.

    Raises:
        ConfigError: It has another section, or a name that Lanework's template has.
        StackError: It is no YAML.
    """
    taken = set(re.findall(r"^  (\w+):", text, re.MULTILINE))
    for section, entries in _sections(own, file).items():
        for name in entries:
            if name in taken:
                msg = f"{file}: {section}/{name} is a name of Lanework's own template: choose another"
                raise ConfigError(msg)
        text = _appended(text, section, f"\n  # ---- From {file} ----\n\n{_body(own, section, file)}")
    return text


def _sections(own: str, file: str) -> dict[str, dict[str, Any]]:
    found = parsed(own, file)
    if not isinstance(found, dict):
        msg = f"{file} must have some of {', '.join(SECTIONS)}"
        raise ConfigError(msg)
    for section, entries in found.items():
        if section not in SECTIONS:
            msg = (
                f"{file} may have {', '.join(SECTIONS)}; it has {shown(section)}{did_you_mean(str(section), SECTIONS)}"
            )
            raise ConfigError(msg)
        if not isinstance(entries, dict):
            msg = f"{file}: {section} must hold names with what each is, not {shown(entries)}"
            raise ConfigError(msg)
    return found


def _body(own: str, section: str, file: str) -> str:
    """Return the lines of a section, indented as the template's are."""
    found = re.search(rf"^{section}:[ \t]*(?:#.*)?\n((?:(?:[ \t#].*)?\n)*)", f"{own}\n", re.MULTILINE)
    if found is None:
        msg = f"{file}: write {section} as a block: its name and a colon alone on a line, its entries indented below it"
        raise ConfigError(msg)
    lines = found[1].strip("\n").splitlines()
    first = next(line for line in lines if line.strip() and not line.lstrip().startswith("#"))
    shift = len(first) - len(first.lstrip()) - 2
    return "".join(f"{_moved(line, shift)}\n" for line in lines)


def _moved(line: str, shift: int) -> str:
    if not line.strip():
        return ""
    if shift < 0 or line.startswith("#"):
        return f"{' ' * max(-shift, 2 if line.startswith('#') else 0)}{line}"
    return line[min(shift, len(line) - len(line.lstrip())) :]


def _appended(text: str, section: str, body: str) -> str:
    found = re.search(rf"^{section}:\n(?:(?:[ #].*)?\n)*", text, re.MULTILINE)
    if found is None:
        return f"{text.rstrip()}\n\n{section}:\n{body.lstrip()}"
    end = found.start() + len(found[0].rstrip("\n")) + 1
    return f"{text[:end]}{body}{text[end:]}"
