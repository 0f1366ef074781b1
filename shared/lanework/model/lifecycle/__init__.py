"""A job's states and every change between them, as values. Pure."""
