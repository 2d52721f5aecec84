"""The recipes for code that is not async: made from those of `examples.recipes`."""
