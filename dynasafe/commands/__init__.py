"""Small subcommands of `dynasafe`."""
