"""Costs: each figure next to those of other libraries from the same run. See
docs/performance.md."""
