"""Decisions about failures: what they mean, whether to repeat, when to stop sending."""
