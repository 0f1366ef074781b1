"""
Enqueues jobs, and says as JSON what it took, beside a system's `jobs`.

`produce.py single|spaced|bulk COUNT WORK BYTES`: one by one, one by one 100 ms apart, or many in a call.
"""

from __future__ import annotations

import json
import sys
import time

import jobs

APART_S = 0.1


def main() -> None:
    """Enqueue one job to warm up, then those that are counted."""
    mode, count, work, size = sys.argv[1], int(sys.argv[2]), sys.argv[3], int(sys.argv[4])
    padding = "x" * size
    jobs.enqueue_many(1, "noop", "") if mode == "bulk" else jobs.enqueue(1, "noop", "")
    print("warm", flush=True)
    sys.stdin.readline()
    began, cpu = time.perf_counter(), time.process_time()
    {"single": jobs.enqueue, "spaced": spaced, "bulk": jobs.enqueue_many}[mode](count, work, padding)
    print(json.dumps({"seconds": time.perf_counter() - began, "cpu": time.process_time() - cpu}), flush=True)


def spaced(count, work, padding):
    """Enqueue one by one, and wait between two."""
    for _ in range(count):
        jobs.enqueue(1, work, padding)
        time.sleep(APART_S)


if __name__ == "__main__":
    main()
