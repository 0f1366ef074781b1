"""The code that is deployed: a layer's content."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING, Final
from urllib.request import urlopen
from zipfile import ZipFile

if TYPE_CHECKING:
    from lanework.aws.deployed.stack import Look, Stack

_WITHIN_S: Final = 30
_UNDER: Final = "python/"


def deployed_files(stack: Stack, look: Look) -> dict[str, bytes]:
    """Return the files of the stack's layers by their path below python/; none of what may not be looked at."""
    files: dict[str, bytes] = {}
    for one in stack.resources:
        if one.type != "AWS::Lambda::LayerVersion":
            continue
        answer = look.at(one.id, "lambda", "get_layer_version_by_arn", Arn=one.physical_id)
        if answer is not None:
            with urlopen(answer["Content"]["Location"], timeout=_WITHIN_S) as content:  # noqa: S310 - AWS's own address
                archive = ZipFile(BytesIO(content.read()))
            files |= {
                name.removeprefix(_UNDER): archive.read(name) for name in archive.namelist() if name.startswith(_UNDER)
            }
    return files
