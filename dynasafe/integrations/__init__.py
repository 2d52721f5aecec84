"""What a service shows of its DynamoDB calls: hooks for metrics, traces and logs."""
