"""Findings: what is wrong with a request, where, and how to fix it."""
