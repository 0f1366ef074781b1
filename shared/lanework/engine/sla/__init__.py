"""Jobs that missed the SLA of their lane."""
