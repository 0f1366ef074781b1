"""How much the proof looks at: a part of it in `make test`, all of it in `make proof`."""

import os

IS_FULL = os.environ.get("LANEWORK_PROOF") == "full"
