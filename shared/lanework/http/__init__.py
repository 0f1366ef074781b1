"""The HTTP API, and what its pages in a browser need. It is given an application and wires none."""
