"""The registry for code that is not async: see `examples.registry`, of which it is made."""
