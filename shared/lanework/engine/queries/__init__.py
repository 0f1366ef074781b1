"""Reading jobs: by id, by filter, counted."""
