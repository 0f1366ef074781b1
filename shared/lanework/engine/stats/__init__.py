"""Numbers: statistics, overview, alerts."""
