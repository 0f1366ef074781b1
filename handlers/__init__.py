"""Lambda entry points, three lines each."""
