"""
Lambda entry points, three lines each.

What a cold start loads stays, so nobody looks for garbage in it: that took a seventh of its CPU. The edges look again.
"""

import gc

gc.disable()
