"""What things cost: each figure beside its peers' of the same run. See docs/performance.md."""
