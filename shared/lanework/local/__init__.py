"""
The embedded stack: Lanework on a laptop, with no account and no Docker.

Starts the emulator, deploys the project's own template to it, redeploys on change, and leaves nothing running.
Needs the extra `lanework[local]`. Nothing of the engine imports it.
"""
