"""Whether DynamoDB would accept a request, decided without a network."""

from dynasafe.validation.check import Form, check_request, require_valid

__all__ = ["Form", "check_request", "require_valid"]
