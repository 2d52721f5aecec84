"""DynamoDB calls that cannot be malformed, and that say whether the write happened."""

from dynasafe.expressions.attributes import Attr, attr
from dynasafe.expressions.updates import UpdateBuilder
from dynasafe.findings import Finding
from dynasafe.item import Item, attribute

__all__ = ["Attr", "Finding", "Item", "UpdateBuilder", "attr", "attribute"]

__version__ = "0.1.0"
