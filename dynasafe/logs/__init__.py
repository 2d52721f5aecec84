"""Known DynamoDB errors in logs: signatures, scans, alarms."""
