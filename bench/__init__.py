"""Lanework measured: beside a bare boto loop, beside its peers on the same endpoint, and against its budgets."""
