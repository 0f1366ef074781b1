"""From a request to a recorded job and its message."""
