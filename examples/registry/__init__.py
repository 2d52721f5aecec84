"""A small service: people, their projects and their subscriptions, without a framework."""
