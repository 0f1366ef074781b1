"""The rules of a job's life as plain values and functions: no clock, no random source, no I/O, no AWS."""
