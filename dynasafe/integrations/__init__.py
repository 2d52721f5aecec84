"""Hooks for metrics, traces and logs of DynamoDB calls."""
