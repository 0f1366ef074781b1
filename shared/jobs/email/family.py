"""What all e-mail jobs share."""

from pathlib import Path
from typing import Final

from lanework import Jobs

email = Jobs(queue="email", attempts=3)

TEMPLATES: Final = Path(__file__).parent
