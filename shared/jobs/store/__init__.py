"""
The application's own data: tokens, money, reports, accounts. They live in a table of their own, not with the jobs.

Jobs see the Protocols here and take a store by keyword, so that a test can pass a fake. `app_store()` is the real one.
"""

from jobs.store.activity import Archive, Archives, Row, Rows
from jobs.store.connect import app_store
from jobs.store.money import Payment, Payments
from jobs.store.people import Subscription, Subscriptions, User, Users
from jobs.store.records import Form, Report, Reports, Token, Tokens, Transaction, Transactions

__all__ = [
    "Archive",
    "Archives",
    "Form",
    "Payment",
    "Payments",
    "Report",
    "Reports",
    "Row",
    "Rows",
    "Subscription",
    "Subscriptions",
    "Token",
    "Tokens",
    "Transaction",
    "Transactions",
    "User",
    "Users",
    "app_store",
]
