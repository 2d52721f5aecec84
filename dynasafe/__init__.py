"""DynamoDB calls that cannot be malformed, and that say whether the write happened."""

__version__ = "0.1.0"
