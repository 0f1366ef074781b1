"""Within which time a job of a lane starts, and how that was met."""
