"""Sinks of the engine's one stream of events."""
