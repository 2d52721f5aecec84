"""The guard in front of packages of others, on DynamoDB Local: `make guard-third-party`."""
