"""Checks offline whether DynamoDB would accept a request."""

from dynasafe.validation.check import CHECKED_OPERATIONS, Form, check_request, require_valid

__all__ = ["CHECKED_OPERATIONS", "Form", "check_request", "require_valid"]
