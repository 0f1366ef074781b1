"""The worker process: what a lane's mapping and Lambda do elsewhere, done in a process of one's own."""
