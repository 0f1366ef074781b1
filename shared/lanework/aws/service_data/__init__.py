"""
botocore's descriptions of services without what only people read: loaded in a fifth of the time, and of the memory.

botocore brings a model of each service, four fifths of it documentation, and a file of 1.2 MB with all endpoints.
Beside this one lies what `strip.py` makes of both, in the botocore that requirements.lock names. `lanework.aws.clients`
reads it. The rules by which a region has its URL are botocore's own.
"""
