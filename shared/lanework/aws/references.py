"""Reads what variables refer to, from SSM and Secrets Manager: once, when a function starts."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools.utilities.parameters import SecretsProvider

from lanework.aws.clients import Clients
from lanework.aws.parameters import reading, ssm_parameter
from lanework.errors import ConfigError
from lanework.model.references import Reference, Store, reference_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lanework.settings import Settings


def read_references(settings: Settings, variables: Mapping[str, str]) -> dict[str, str]:
    """
    Return the value of each variable that refers to one; each parameter and secret is read once.

    Raises:
        ConfigError: A reference makes no sense, what it refers to isn't there, or there is no permission to read it.
        UnavailableError: The service doesn't answer.
    """
    references = {name: _reference(name, text) for name, text in variables.items()}
    kept = {(one.store, one.name) for one in references.values()}
    secrets = SecretsProvider(boto3_client=Clients(settings).make("secretsmanager"))
    texts = {
        (store, name): ssm_parameter(settings, name)() if store is Store.SSM else _secret(secrets, name)
        for store, name in sorted(kept)
    }
    return {name: _value(name, one, texts[one.store, one.name]) for name, one in references.items()}


def _reference(variable: str, text: str) -> Reference:
    try:
        return reference_of(text)
    except ValueError as error:
        msg = f"{variable} = {text!r} is no reference: {error}"
        raise ConfigError(msg) from None


def _secret(secrets: SecretsProvider, name: str) -> str:
    with reading(f"the secret {name}"):
        value = secrets.get(name)
    if isinstance(value, str):
        return value
    msg = f"the secret {name} is binary: keep text in it"
    raise ConfigError(msg)


def _value(variable: str, reference: Reference, text: str) -> str:
    if reference.key is None:
        return text
    try:
        value: Any = json.loads(text)[reference.key]
    except (ValueError, LookupError, TypeError):
        msg = (
            f"{variable} refers to {reference.key} of the secret {reference.name}, which is no JSON object that has it"
        )
        raise ConfigError(msg) from None
    return value if isinstance(value, str) else json.dumps(value)
