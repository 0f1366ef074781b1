"""The sources of events in a template: a block at the end of Resources, which Lanework writes and renews."""

from __future__ import annotations

import re
from typing import Final

from lanework.errors import ConfigError

_MARK: Final = "  # ---- Sources of events: what on(…) declares, as `lanework check --write` writes it ----\n\n"

_BLOCK: Final = re.compile(
    r"^  # ---- Sources of events: .*\n\n(?P<resources>(?:(?!  # ---- )(?:[ #].*)?\n)*)", re.MULTILINE
)
_END: Final = re.compile(r"^Resources:\n(?:(?!  # ---- From )(?:[ #].*)?\n)*", re.MULTILINE)
"""The section up to what comes from a project's own file."""


def sources_in(text: str) -> str:
    """Return the resources of the block, as YAML; empty if there is none."""
    block = _BLOCK.search(text)
    return "" if block is None else f"{block['resources'].rstrip()}\n"


def with_sources(text: str, resources: str) -> str:
    """
    Return a template with other resources in the block.

    Args:
        text: The template.
        resources: YAML, indented by two; empty: no block.

    Raises:
        ConfigError: It has no section Resources where Lanework writes one.
    """
    text = _BLOCK.sub("", text)
    if not resources:
        return text
    section = _END.search(text)
    if section is None:
        msg = "sources of events are written at the end of Resources, and template.yaml has none"
        raise ConfigError(msg)
    end = section.start() + len(section[0].rstrip("\n")) + 1
    return f"{text[:end]}\n{_MARK}{resources.rstrip()}\n\n{text[end:].lstrip(chr(10))}"
