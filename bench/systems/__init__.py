"""The systems that are measured, a folder each: what runs in it is run by that system's own interpreter."""
