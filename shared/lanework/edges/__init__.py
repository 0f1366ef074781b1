"""Where AWS calls in: each edge turns an event into calls of a use case, and its answer into what AWS expects."""
