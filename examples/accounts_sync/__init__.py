"""The accounts service for code that is not async: see `examples.accounts`, of which it is made."""
