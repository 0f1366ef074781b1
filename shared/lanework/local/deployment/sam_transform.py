"""What the SAM transform makes of a template, offline, and what cfn-lint finds in that: more than in the source."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING, Any

from lanework.aws.clients import bare_session
from lanework.errors import StackError
from lanework.local.deployment.template import with_code_at

if TYPE_CHECKING:
    from collections.abc import Callable

    from cfnlint.match import Match

REGION = "us-east-1"
SOMEWHERE = "s3://bucket/key"
"""Any legal address will do: the transform looks at its form only."""


def lint_template(template: dict[str, Any]) -> list[str]:
    """
    Return what cfn-lint finds in a template, a line for each problem: none if it is right.

    Args:
        template: What `read_template` returned.

    Raises:
        StackError: If the SAM transform refuses it.
    """
    from cfnlint.api import lint  # noqa: PLC0415 - heavy, and a tool of development

    return [_line(match) for match in lint(json.dumps(translate(template)), regions=[REGION])]


def translate(template: dict[str, Any], locate: Callable[[str, str], str] = lambda *_: SOMEWHERE) -> dict[str, Any]:
    """
    Return the CloudFormation template that CloudFormation would make of a SAM template.

    Args:
        template: What `read_template` returned.
        locate: Where code is, in S3, as of `with_code_at`.

    Raises:
        StackError: If the transform refuses it.
    """
    from samtranslator.model.exceptions import InvalidDocumentException  # noqa: PLC0415 - heavy, as are the next
    from samtranslator.parser.parser import Parser  # noqa: PLC0415 - as above
    from samtranslator.translator.translator import Translator  # noqa: PLC0415 - as above

    for chatty in ("samtranslator.metrics", "samtranslator.feature_toggle"):  # of metrics and features of SAM's service
        logging.getLogger(chatty).setLevel(logging.ERROR)
    translator = Translator({}, Parser(), boto_session=bare_session(REGION))
    located = with_code_at(template, locate)
    try:
        translated: dict[str, Any] = translator.translate(located, parameter_values={})
    except InvalidDocumentException as error:
        raise StackError("; ".join(cause.message for cause in error.causes)) from error
    return translated


def _line(match: Match) -> str:
    place = "/".join(str(part) for part in getattr(match, "path", None) or ())
    return f"{match.rule.id} {place}: {match.message}"
