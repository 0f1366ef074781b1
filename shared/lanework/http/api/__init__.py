"""The JSON API: endpoints by subject, and what they read and answer."""
