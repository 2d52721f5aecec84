"""DynamoDB calls that cannot be malformed, and that say whether the write happened."""

from dynasafe.aio.circuit_breaker import CircuitBreaker
from dynasafe.aio.database import AsyncDynamoDB
from dynasafe.aio.table import AsyncTable
from dynasafe.aio.transport import client_config
from dynasafe.expressions.attributes import Attr, attr
from dynasafe.expressions.updates import UpdateBuilder
from dynasafe.findings import Finding
from dynasafe.guard import guard, unguard
from dynasafe.item import Item, attribute
from dynasafe.resilience.retry import RetryPolicy
from dynasafe.validation import check_request, require_valid

__all__ = [
    "AsyncDynamoDB",
    "AsyncTable",
    "Attr",
    "CircuitBreaker",
    "Finding",
    "Item",
    "RetryPolicy",
    "UpdateBuilder",
    "attr",
    "attribute",
    "check_request",
    "client_config",
    "guard",
    "require_valid",
    "unguard",
]

__version__ = "0.1.0"
