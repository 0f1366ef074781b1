"""Looks at the KMS keys that a live stack's things are encrypted with."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from lanework.doctor.policies import allowed_to_services
from lanework.doctor.resources import Key

if TYPE_CHECKING:
    from lanework.aws.deployed.stack import Look, Stack


class Keys:
    """
    Names keys as the template does, and looks at each once.

    Attributes:
        found: What could be looked at, by name; not AWS's own keys, which let in whom they must.
    """

    def __init__(self, stack: Stack, look: Look) -> None:
        self.found: dict[str, Key] = {}
        self._look = look
        self._own = {one.physical_id: one.id for one in stack.resources if one.type == "AWS::KMS::Key"}
        self._seen: dict[str, Any] = {}

    def name_of(self, key: str | None) -> str | None:
        """Return a key's name: the stack's own by its logical id, another as the service names it; None stays None."""
        if not key:
            return None
        self._see(key)
        return self._own.get(key.rpartition("/")[2], key)

    def customers(self, key: str | None) -> str | None:
        """Return a customer's key's name; None of AWS's own, whose ARN looks alike."""
        if not key or ":alias/aws/" in key or self._see(key) == "AWS":  # the emulator names AWS's key by its alias
            return None
        return self.name_of(key)

    def _see(self, key: str) -> str | None:
        """Return whose a key is, `CUSTOMER` or `AWS`; None if it can't be looked at."""
        if key not in self._seen:
            answer = self._look.at(key, "kms", "describe_key", KeyId=key)
            self._seen[key] = None if answer is None else answer["KeyMetadata"]
            if answer is not None and self._seen[key]["KeyManager"] == "CUSTOMER":
                self._read(key, is_on=self._seen[key]["KeyState"] == "Enabled")
        has = self._seen[key]
        return None if has is None else str(has["KeyManager"])

    def _read(self, key: str, *, is_on: bool) -> None:
        answer = self._look.at(key, "kms", "get_key_policy", KeyId=key, PolicyName="default")
        if answer is not None:
            services = allowed_to_services(json.loads(answer["Policy"]))
            self.found[self._own.get(key.rpartition("/")[2], key)] = Key(is_on=is_on, services=services)
