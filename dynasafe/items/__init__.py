"""The typed side: Item classes, attributes, conditions, updates."""
