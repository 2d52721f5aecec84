"""Decisions about failures: their meaning, whether to retry, and when to stop sending."""
