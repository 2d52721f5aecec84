"""DynamoDB's values: Python to wire form and back."""
