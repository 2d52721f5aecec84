"""Subcommands of `dynasafe` that belong to no package of their own."""
