"""The embedded stack of `lanework dev`, and the handle by which others find it."""
