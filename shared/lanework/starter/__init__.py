"""What `lanework init` makes of an empty folder, and what a newer release would change in it."""
