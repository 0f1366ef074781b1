"""
An example of a web application that hands its slow work to jobs: each request is answered as soon as they are enqueued.

Plain WSGI, so that nothing of a framework stands in the way of what it shows; Flask, Django and whatever else serves
WSGI take the same calls of `jobs.producing`. It is a producer outside of the stack: `LANEWORK_STACK`, `APP_TABLE`, AWS
credentials, and the policy that the template puts out are all it needs.
"""

from jobs.web.application import Shop, application

__all__ = ["Shop", "application"]
