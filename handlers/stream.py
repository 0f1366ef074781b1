"""The function behind the table's stream, which tells EventBridge's bus of what happens to jobs."""

from lanework.edges.stream import stream

handler = stream()
