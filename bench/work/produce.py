"""Enqueues jobs, and says as JSON what it took: `produce.py single|bulk COUNT WORK BYTES`, beside a system's `jobs`."""

from __future__ import annotations

import json
import sys
import time

import jobs


def main() -> None:
    """Enqueue one job to warm up, then those that are counted."""
    mode, count, work, size = sys.argv[1], int(sys.argv[2]), sys.argv[3], int(sys.argv[4])
    padding = "x" * size
    jobs.enqueue(1, "noop", "") if mode == "single" else jobs.enqueue_many(1, "noop", "")
    print("warm", flush=True)
    sys.stdin.readline()
    began, cpu = time.perf_counter(), time.process_time()
    (jobs.enqueue if mode == "single" else jobs.enqueue_many)(count, work, padding)
    print(json.dumps({"seconds": time.perf_counter() - began, "cpu": time.process_time() - cpu}), flush=True)


if __name__ == "__main__":
    main()
