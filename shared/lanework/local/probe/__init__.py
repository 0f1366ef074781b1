"""What AWS documents and Lanework leans on, as a table, and probes that ask an account or an emulator for each line."""
