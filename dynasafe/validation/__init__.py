"""Whether DynamoDB would accept a request, decided without a network."""

from dynasafe.validation.check import check_request, require_valid

__all__ = ["check_request", "require_valid"]
