"""How much the proof looks at: a part of it in `make test`, all of it in `make proof`, which CI runs too."""

import os

IS_FULL = os.environ.get("LANEWORK_PROOF") == "full"
