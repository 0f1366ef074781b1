"""What all e-mail jobs share."""

from pathlib import Path
from typing import Final

from jobs.mail import InvalidMessageError, RefusedError
from lanework import Jobs

email = Jobs(queue="email", attempts=3)

IN_VAIN: Final = (RefusedError, InvalidMessageError)
"""What no further attempt can help."""

TEMPLATES: Final = Path(__file__).parent
