"""References to values that SSM or Secrets Manager keep, which stand in a variable until a function reads them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

_OF_THE_STACK: Final = r"\$\{AWS::(?:StackName|Region|AccountId)\}"
"""What CloudFormation fills in, before a function sees it."""

_SSM: Final = re.compile(rf"ssm:(?P<name>(/([A-Za-z0-9_.-]|{_OF_THE_STACK})+)+)")
_SECRET: Final = re.compile(rf"secretsmanager:(?P<name>([A-Za-z0-9/_+=.@-]|{_OF_THE_STACK})+)(:(?P<key>[^:]+))?")

FORMS: Final = "ssm:/path/name, secretsmanager:name or secretsmanager:name:json-key"


class Store(StrEnum):
    """Where a value is kept."""

    SSM = "ssm"
    SECRETS_MANAGER = "secretsmanager"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """
    What a variable refers to.

    Attributes:
        name: The parameter's full name, or the secret's.
        key: Of a secret that is a JSON object, the key of the value; None takes the whole secret.
    """

    store: Store
    name: str
    key: str | None = None

    @property
    def action(self) -> str:
        """What IAM calls reading it."""
        return "ssm:GetParameter" if self.store is Store.SSM else "secretsmanager:GetSecretValue"

    @property
    def resource(self) -> str:
        """What is read, as in an ARN after the account; AWS adds a hyphen and six characters to a secret's name."""
        return f"parameter{self.name}" if self.store is Store.SSM else f"secret:{self.name}-??????"


def looks_like_reference(text: str) -> bool:
    """Tell whether a text begins as a reference does."""
    return text.startswith(tuple(f"{store}:" for store in Store))


def reference_of(text: str) -> Reference:
    """
    Read a reference.

    Raises:
        ValueError: It is in none of the three forms.
    """
    found = _SSM.fullmatch(text) or _SECRET.fullmatch(text)
    if found is None:
        msg = f"write it as {FORMS}"
        raise ValueError(msg)
    parts = found.groupdict()
    return Reference(store=Store(text.partition(":")[0]), name=parts["name"], key=parts.get("key"))
