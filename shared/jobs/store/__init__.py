"""
The application's own data: tokens, transactions, reports. They live in a table of their own, not with the jobs.

Jobs see the Protocols here and take a store by keyword, so that a test can pass a fake. `app_store()` is the real one.
"""

from jobs.store.connect import app_store
from jobs.store.records import Report, Reports, Token, Tokens, Transaction, Transactions

__all__ = ["Report", "Reports", "Token", "Tokens", "Transaction", "Transactions", "app_store"]
