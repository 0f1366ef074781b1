"""The emulator: its process, its environment, and what stands before its port."""
