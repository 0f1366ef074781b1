"""
Lambda entry points, three lines each.

What a cold start loads stays, so nobody looks for garbage in it: that took a seventh of its CPU. The edges look again;
a handler of your own that calls none of them says `gc.enable()` itself.
"""

import gc
import os

gc.disable()

if os.environ.get("LANEWORK_REFERENCES"):
    from lanework.references import resolve_references

    resolve_references()
