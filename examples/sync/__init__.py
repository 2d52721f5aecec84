"""Examples of code that is not async."""
