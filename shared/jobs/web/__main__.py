"""Serve the example on a laptop, beside `lanework dev`: `PYTHONPATH=shared python -m jobs.web 8000`."""

import sys
from wsgiref.simple_server import make_server

from jobs.web import application

if __name__ == "__main__":
    port = int(sys.argv[1]) if sys.argv[1:] else 8000
    with make_server("127.0.0.1", port, application) as server:
        print(f"http://127.0.0.1:{server.server_port}", flush=True)  # noqa: T201 - says where it is
        server.serve_forever()
