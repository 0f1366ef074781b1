"""One attempt of a job, from its message to its recorded outcome."""
