"""The jobs that `lanework demo` and `lanework dev --demo` enqueue."""
